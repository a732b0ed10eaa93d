import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createArmError,
  createGroupAnswer,
  createSubject,
  createToken,
  createTokenAnswer,
  getIdentityId,
} from "./azure-answers";
import { createBundle, expectNoLeak, parseReport, toEnvironment, type Bundle } from "./bundle-run";
import { startRefusingProxy, startServer } from "./servers";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await createBundle();
});
afterAll(() => bundle.remove());

describe.concurrent("verify", () => {
  it("asks IMDS once and ARM once, exactly as documented, and reports who read what", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

    const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, arm.url));

    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const audience = encodeURIComponent(`${arm.url}/`);
    expect(imds.received).toMatchObject([
      {
        method: "GET",
        url: `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${audience}&client_id=${subject.clientId}`,
        headers: { metadata: "true" },
      },
    ]);
    expect(imds.received[0]?.headers).not.toHaveProperty("x-forwarded-for");
    expect(arm.received).toMatchObject([
      {
        method: "GET",
        url: `/subscriptions/${subject.subscriptionId}/resourceGroups/rg-tutorial?api-version=2021-04-01`,
        headers: { authorization: `Bearer ${subject.token}` },
      },
    ]);
    expect(parseReport(run)).toEqual({
      ok: true,
      exitCode: 0,
      steps: ["settings", "token", "resourceGroup"].map((name) => ({
        name,
        status: "passed",
        durationMs: expect.any(Number) as number,
      })),
      identity: {
        clientId: subject.clientId,
        principalId: subject.principalId,
        tenantId: subject.tenantId,
        resourceId: getIdentityId(subject),
        tokenAudience: "https://management.azure.com/",
        tokenExpiresOn: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      },
      resourceGroup: {
        id: `/subscriptions/${subject.subscriptionId}/resourceGroups/rg-tutorial`,
        name: "rg-tutorial",
        location: "westeurope",
        provisioningState: "Succeeded",
        tags: { project: "tutorial" },
      },
    });
    expectNoLeak(run, subject.token);
  });

  it("prints the steps and the resource group for a person", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

    const run = await bundle.run([], toEnvironment(subject, imds.url, arm.url));

    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout.match(/^\[ ok \]/gm)).toHaveLength(3);
    for (const line of [
      `Client id +${subject.clientId}`,
      `Principal id +${subject.principalId}`,
      `Id +/subscriptions/${subject.subscriptionId}/resourceGroups/rg-tutorial`,
      "Name +rg-tutorial",
      "Location +westeurope",
      "Provisioning state +Succeeded",
      "Tags +project=tutorial",
    ]) {
      expect(run.stdout).toMatch(new RegExp(`^ +${line}$`, "m"));
    }
    expectNoLeak(run, subject.token);
  });

  it("takes arguments before the environment", async () => {
    const subject = createSubject();
    const stale = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

    const run = await bundle.run(
      ["--client-id", subject.clientId, `--subscription-id=${subject.subscriptionId}`],
      toEnvironment(stale, imds.url, arm.url),
    );

    expect(run.exitCode).toBe(0);
    expect(imds.received[0]?.url).toContain(`client_id=${subject.clientId}`);
    expect(arm.received[0]?.url).toContain(`/subscriptions/${subject.subscriptionId}/`);
  });

  it("lives with a token it can't read", async () => {
    const subject = createSubject({ token: `opaque-${"x".repeat(60)}` });
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

    const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, arm.url));

    expect(run.exitCode).toBe(0);
    expect(parseReport(run).identity).toMatchObject({ clientId: subject.clientId });
    expect(parseReport(run).identity).not.toHaveProperty("principalId");
    expectNoLeak(run, subject.token);
  });

  it.each(["token", "IMDS answer"])(
    "refuses another identity's client id in the %s",
    async (place) => {
      const subject = createSubject();
      const other = createSubject();
      const token = place === "token" ? createToken(other) : `opaque-${"y".repeat(60)}`;
      const clientId = place === "token" ? subject.clientId : other.clientId;
      await using imds = await startServer([createTokenAnswer({ ...subject, token, clientId })]);
      await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

      const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, arm.url));

      expect(run.exitCode).toBe(22);
      expect(parseReport(run).error).toMatchObject({ code: "WRONG_IDENTITY" });
      expect(arm.received).toEqual([]);
      expectNoLeak(run, token);
    },
  );

  it("keeps the token out of the output when ARM echoes it back", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer(
      [
        createArmError(403, "AuthorizationFailed", `You sent "Bearer ${subject.token}".`, {
          server: subject.token.slice(20, 80),
        }),
      ],
      bundle.certificate,
    );
    const env = toEnvironment(subject, imds.url, arm.url);

    const runs = await Promise.all([
      bundle.run(["--json", "--wait", "0"], env),
      bundle.run(["--wait", "0"], env),
    ]);

    for (const run of runs) {
      expect(run.exitCode).toBe(50);
      expect(run.stdout + run.stderr).toContain("[redacted]");
      expectNoLeak(run, subject.token);
    }
  });

  it("prints what a service sent on one line, without control characters", async () => {
    const subject = createSubject();
    const group = createGroupAnswer(subject);
    group.body.tags.project = "\u001b[2Jtutorial\n[ ok ] forged";
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([group], bundle.certificate);

    const run = await bundle.run([], toEnvironment(subject, imds.url, arm.url));

    expect(run.stdout).not.toContain("\u001b");
    expect(run.stdout).not.toMatch(/^\[ ok \] forged/m);
    expect(run.stdout).toContain("tutorial [ ok ] forged");
  });

  const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

  // Node can follow the proxy variables by itself, past the HTTP client: that must not reach IMDS either.
  it.each([
    { by: "the HTTP client", cameBack: { status: 407 }, env: {} as Record<string, string> },
    { by: "Node itself", cameBack: {}, env: { NODE_USE_ENV_PROXY: "1" } },
  ])(
    "proxied by $by, shows IMDS to no proxy and names the one that refuses ARM",
    async ({ env, cameBack }) => {
      const subject = createSubject();
      await using imds = await startServer([createTokenAnswer(subject)]);
      await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);
      await using proxy = await startRefusingProxy(407);
      const proxyUrl = proxy.url.replace("//", "//user:hunter2secret@");
      const proxies = Object.fromEntries(
        PROXY_VARIABLES.flatMap((name) => [name, name.toLowerCase()]).map((name) => [
          name,
          proxyUrl,
        ]),
      );

      const run = await bundle.run(["--json", "--wait", "0"], {
        ...toEnvironment(subject, imds.url, arm.url),
        ...proxies,
        ...env,
        DEBUG: "*",
      });

      expect(run.exitCode).toBe(36);
      expect(parseReport(run).error).toMatchObject({ code: "ARM_PROXY_FAILED", cameBack });
      expect(parseReport(run).error?.message).toContain(proxy.url);
      expect(proxy.received).toEqual([]);
      expect(proxy.tunnels).toEqual([arm.url.replace("https://", "")]);
      expect(imds.received).toHaveLength(1);
      expect(imds.received[0]?.headers.host).toBe(imds.url.replace("http://", ""));
      expect(arm.received).toEqual([]);
      expect(run.stdout + run.stderr).not.toContain("hunter2secret");
      expectNoLeak(run, subject.token);
    },
  );

  it("blames no proxy where NO_PROXY leaves it out", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    const run = await bundle.run(["--json", "--wait", "0"], {
      ...toEnvironment(subject, imds.url, "https://127.0.0.1:1"),
      HTTPS_PROXY: "http://127.0.0.1:9",
      NO_PROXY: "127.0.0.1",
    });
    expect(run.exitCode).toBe(30);
    expect(parseReport(run).error).toMatchObject({ code: "ARM_UNREACHABLE" });
  });

  it("refuses a proxy that is not a URL, before any request", async () => {
    const subject = createSubject();
    await using imds = await startServer([]);
    const run = await bundle.run(["--json"], {
      ...toEnvironment(subject, imds.url, "https://127.0.0.1:1"),
      HTTPS_PROXY: "not a URL",
    });
    expect(run.exitCode).toBe(2);
    expect(parseReport(run).error).toMatchObject({ code: "SETTINGS_INVALID" });
    expect(imds.received).toEqual([]);
  });

  it.each(PROXY_VARIABLES.slice(1))("names a dead proxy given by %s", async (variable) => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);
    const proxy = await startRefusingProxy(403);
    await proxy.close();

    const run = await bundle.run(["--json"], {
      ...toEnvironment(subject, imds.url, arm.url),
      [variable]: proxy.url,
    });

    expect(run.exitCode).toBe(36);
    expect(parseReport(run).error).toMatchObject({ code: "ARM_PROXY_FAILED" });
    expect(parseReport(run).error?.hint).toContain(variable);
    expect(imds.received).toHaveLength(1);
    expectNoLeak(run, subject.token);
  });

  it("shows all exit codes in --help, each once, and asks nothing", async () => {
    const run = await bundle.run(["--help"]);

    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const codes = [...run.stdout.matchAll(/^ +(\d+) [A-Z_]+ /gm)].map(([, code]) => code);
    expect(codes).toContain("50");
    expect(new Set(codes).size).toBe(codes.length);
  });
});
