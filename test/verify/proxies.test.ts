import { describe, expect, it } from "vitest";
import { createSubject } from "./azure-answers";
import { parseReport } from "./bundle-run";
import { startAzure } from "./fake-azure";
import { runVerify, useBundle } from "./runs";
import { startProxy, startSilentServer } from "./proxies";

const getBundle = useBundle();

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/** The variables in both spellings, with credentials that must not be shown. */
function toVariables(proxyUrl: string, names = PROXY_VARIABLES): Record<string, string> {
  const url = proxyUrl.replace("//", "//user:hunter2secret@");
  return Object.fromEntries(
    names.flatMap((name) => [name, name.toLowerCase()]).map((n) => [n, url]),
  );
}

describe.concurrent("with proxies in the environment", () => {
  // Node can follow the proxy variables by itself, past the HTTP client: that must not reach IMDS either.
  it.each([
    { by: "the HTTP client", env: {} },
    { by: "Node itself", env: { NODE_USE_ENV_PROXY: "1" } },
  ])("IMDS is asked directly, and ARM through the proxy by $by", async ({ env }) => {
    await using proxy = await startProxy();
    const { run, report, azure } = await runVerify(getBundle(), {
      env: { ...toVariables(proxy.url), ...env, AZURE_RESOURCE_GROUP: undefined, DEBUG: "*" },
    });

    expect(report.error).toBeUndefined();
    expect(azure.countRequests()).toEqual({ instance: 1, token: 1, group: 1, permissions: 1 });
    for (const { headers } of azure.imds.received) {
      expect(headers.host).toBe(azure.imds.url.replace("http://", ""));
    }
    expect(proxy.received).toEqual([]);
    expect(new Set(proxy.tunnels)).toEqual(new Set([azure.arm.url.replace("https://", "")]));
    expect(run.stdout + run.stderr).not.toContain("hunter2secret");
  });

  it.each([
    { by: "the HTTP client", status: 407, env: {}, cameBack: 407 },
    { by: "the HTTP client", status: 502, env: {}, cameBack: 502 },
    // Node does not tell what the proxy answered.
    { by: "Node itself", status: 407, env: { NODE_USE_ENV_PROXY: "1" }, cameBack: undefined },
  ])("a refusal with $status by $by names the proxy", async ({ status, env, cameBack }) => {
    await using proxy = await startProxy(status);
    const { run, report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      env: { ...toVariables(proxy.url), ...env, DEBUG: "*" },
    });

    expect(run.exitCode).toBe(36);
    expect(report.error).toMatchObject({
      code: "ARM_PROXY_FAILED",
      message: expect.stringContaining(proxy.url) as string,
      asked: { proxy: { url: proxy.url } },
    });
    expect(report.error?.cameBack?.status).toBe(cameBack);
    expect(azure.countRequests()).toEqual({ token: 1 });
    expect(run.stdout + run.stderr).not.toContain("hunter2secret");
  });

  it.each(PROXY_VARIABLES.slice(1))("a dead one is named, here given by %s", async (variable) => {
    const proxy = await startProxy();
    await proxy.close();

    const { run, report, azure } = await runVerify(getBundle(), {
      env: { [variable]: proxy.url },
    });

    expect(run.exitCode).toBe(36);
    expect(report.error).toMatchObject({
      code: "ARM_PROXY_FAILED",
      asked: { proxy: { url: proxy.url, variable } },
      cameBack: { code: "ECONNREFUSED" },
    });
    expect(azure.countRequests()).toEqual({ token: 1 });
    expect(run.durationMs).toBeLessThan(3_000);
  });

  it("one that never answers is named, and waited for no longer than told", async () => {
    await using proxy = await startSilentServer();
    const { run, report } = await runVerify(getBundle(), {
      args: ["--wait", "0", "--timeout", "0.6"],
      env: { HTTPS_PROXY: proxy.url },
    });

    expect(run.exitCode).toBe(31);
    expect(report.error).toMatchObject({
      code: "ARM_TIMEOUT",
      message: expect.stringContaining(proxy.url) as string,
      asked: { proxy: { url: proxy.url, variable: "HTTPS_PROXY" } },
    });
    expect(run.durationMs).toBeLessThan(3_000);
  });

  it.each([
    ["nothing", ""],
    ["half an answer", "HTTP/1.1 200 Conn"],
    ["an answer of another kind", "\u0005\u00ff"],
  ])(
    "one that gives %s and hangs up is named, within the bound of a call",
    async (_what, bytes) => {
      await using proxy = await startProxy(undefined, bytes);
      const { run, report } = await runVerify(getBundle(), {
        args: ["--wait", "0", "--timeout", "1.5"],
        env: { HTTPS_PROXY: proxy.url },
      });

      expect(run.exitCode).toBe(31);
      expect(report.error).toMatchObject({
        code: "ARM_TIMEOUT",
        asked: { proxy: { url: proxy.url, variable: "HTTPS_PROXY" } },
      });
    },
  );

  it("one that is said to speak TLS, and does not, is told apart", async () => {
    await using proxy = await startProxy();
    const { run, report } = await runVerify(getBundle(), {
      args: ["--wait", "0", "--timeout", "5"],
      env: { HTTPS_PROXY: proxy.url.replace("http:", "https:") },
    });

    expect(run.exitCode).toBe(36);
    expect(report.error).toMatchObject({
      code: "ARM_PROXY_FAILED",
      hint: expect.stringContaining("http://") as string,
    });
  });

  it("one that opens TLS is suspected", async () => {
    const subject = createSubject();
    await using proxy = await startProxy();
    await using azure = await startAzure(subject, getBundle().certificate);
    const run = await getBundle().run(["--json"], {
      ...azure.env,
      HTTPS_PROXY: proxy.url,
      NODE_EXTRA_CA_CERTS: "",
    });

    expect(run.exitCode).toBe(35);
    expect(parseReport(run).error).toMatchObject({
      code: "ARM_NOT_TRUSTED",
      hint: expect.stringContaining(proxy.url) as string,
    });
    expect(azure.arm.received).toEqual([]);
  });

  it("NO_PROXY leaves ARM out, and no proxy is blamed", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      env: { HTTPS_PROXY: "http://127.0.0.1:9", NO_PROXY: "127.0.0.1" },
    });

    expect(report.ok).toBe(true);
    expect(azure.countRequests()).toEqual({ token: 1, group: 1, permissions: 1 });
  });
});

describe.concurrent("an address of IMDS where packets vanish", () => {
  it.skipIf(process.platform === "win32")(
    "is given up after seconds, long before the bound of a call",
    async () => {
      await using hole = await startSilentServer({ takesConnections: false });
      const { run, report } = await runVerify(getBundle(), {
        args: ["--wait", "60", "--timeout", "30"],
        env: { AZURE_POD_IDENTITY_AUTHORITY_HOST: hole.url },
      });

      expect(run.exitCode).toBe(10);
      expect(report.error).toMatchObject({
        code: "IMDS_UNREACHABLE",
        cameBack: { code: "ERR_CONNECT_TIMEOUT" },
      });
      expect(run.durationMs).toBeLessThan(15_000);
    },
  );
});
