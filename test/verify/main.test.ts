import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FAILURES } from "../../verify/errors";
import {
  createArmError,
  createGroupAnswer,
  createPermissionsAnswer,
  createSubject,
  createToken,
  createTokenAnswer,
  getIdentityId,
  getScope,
  getVmId,
} from "./azure-answers";
import { expectNoLeak, parseReport } from "./bundle-run";
import { startAzure } from "./fake-azure";
import { runVerify, useBundle } from "./runs";

const getBundle = useBundle();

describe.concurrent("a run in which all is well", () => {
  it("asks each thing once, exactly as documented, and reports who read what", async () => {
    const { run, report, subject, azure } = await runVerify(getBundle());

    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    const audience = encodeURIComponent(`${azure.arm.url}/`);
    expect(azure.imds.received).toMatchObject([
      {
        method: "GET",
        url: `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${audience}&client_id=${subject.clientId}`,
        headers: { metadata: "true" },
      },
    ]);
    const authorization = `Bearer ${createToken(subject, `${azure.arm.url}/`)}`;
    expect(azure.arm.received).toMatchObject([
      { url: `${getScope(subject)}?api-version=2021-04-01`, headers: { authorization } },
      {
        url: `${getScope(subject)}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
        headers: { authorization },
      },
    ]);
    const number = expect.any(Number) as number;
    const { identity, ...others } = report;
    expect(identity).toMatchObject({ clientId: subject.clientId });
    expect(others).toEqual({
      ok: true,
      exitCode: 0,
      steps: [
        { name: "settings", status: "passed", durationMs: number },
        { name: "instance", status: "not-needed" },
        { name: "token", status: "passed", durationMs: number },
        { name: "claims", status: "passed", durationMs: number },
        { name: "resourceGroup", status: "passed", durationMs: number },
        { name: "permissions", status: "passed", durationMs: number },
      ],
      settings: {
        clientId: { value: subject.clientId, source: "AZURE_CLIENT_ID" },
        subscriptionId: { value: subject.subscriptionId, source: "AZURE_SUBSCRIPTION_ID" },
        resourceGroup: { value: "rg-tutorial", source: "AZURE_RESOURCE_GROUP" },
        armEndpoint: { value: azure.arm.url, source: "AZURE_RESOURCE_MANAGER_ENDPOINT" },
      },
      clockSkewSeconds: number,
      resourceGroup: {
        id: getScope(subject),
        name: "rg-tutorial",
        location: "westeurope",
        provisioningState: "Succeeded",
        tags: { project: "tutorial" },
      },
      permissions: [{ actions: ["*/read"], notActions: [], dataActions: [] }],
      warnings: [],
    });
  });

  it("makes one TLS connection to ARM", async () => {
    const { azure } = await runVerify(getBundle());

    expect(azure.arm.received).toHaveLength(2);
    expect(azure.arm.countConnections()).toBe(1);
  });

  it("prints the steps and what was found out, for a person", async () => {
    const subject = createSubject();
    await using azure = await startAzure(subject, getBundle().certificate);

    const run = await getBundle().run([], azure.vmEnv);

    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
    expect(run.stdout.match(/^\[ ok \] .* \(\d+ ms\)$/gm)).toHaveLength(6);
    for (const line of [
      `Client id +${subject.clientId} +from the VM's tag identity-client-id`,
      `Principal id +${subject.principalId}`,
      `Resource id +${getIdentityId(subject)}`,
      `On the VM +${getVmId(subject)}`,
      `Id +${getScope(subject)}`,
      "Token valid until +.*Z \\(23 h 59 min left\\)|Token valid until +.*Z \\(24 h 0 min left\\)",
      "Location +westeurope",
      "Provisioning state +Succeeded",
      "Tags +project=tutorial",
      "The identity may +\\*/read",
    ]) {
      expect(run.stdout).toMatch(new RegExp(`^ +(${line})$`, "m"));
    }
    expectNoLeak(run, createToken(subject, `${azure.arm.url}/`));
  });

  it("prints nothing with --quiet", async () => {
    await using azure = await startAzure(createSubject(), getBundle().certificate);

    const run = await getBundle().run(["--quiet"], azure.env);

    expect(run).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  });
});

describe.concurrent("a run that fails", () => {
  it("says on stderr what was asked, what came back and what to do", async () => {
    const subject = createSubject();
    await using azure = await startAzure(subject, getBundle().certificate, () => ({
      group: [createArmError(404, "ResourceGroupNotFound", "Resource group 'x' is not there.")],
    }));

    const run = await getBundle().run([], azure.env);

    expect(run.exitCode).toBe(52);
    expect(run.stdout).toMatch(/^\[FAIL\] The token reads the resource group/m);
    for (const text of [
      "error RESOURCE_GROUP_NOT_FOUND: ",
      `asked      GET ${azure.arm.url}${getScope(subject)}?api-version=2021-04-01`,
      "came back  status 404, ResourceGroupNotFound",
      `"Resource group 'x' is not there."`,
      "request id aaaaaaaa-0000-4000-8000-000000000001",
      "correlation id aaaaaaaa-0000-4000-8000-000000000002",
      "      az group list --subscription",
    ]) {
      expect(run.stderr).toContain(text);
    }
  });

  it("tells each cause that it may have, with its code", async () => {
    const denied = createArmError(403, "AuthorizationFailed");
    await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
      group: [denied],
      permissions: [denied],
    }));

    const run = await getBundle().run(["--wait", "0"], azure.env);

    expect(run.stderr).toMatch(/^ {2}- ROLE_NOT_ASSIGNED: .*\n {6}az role assignment list/m);
  });

  it("prints the failure, and nothing else, with --quiet", async () => {
    await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
      token: [{ status: 404 }],
    }));

    const run = await getBundle().run(["--quiet", "--wait", "3.2"], azure.env);

    expect(run).toMatchObject({ exitCode: 14, stdout: "" });
    expect(run.stderr).toMatch(/^error IMDS_UNAVAILABLE/);
  });

  it("prints warnings beside a success", async () => {
    await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
      permissions: [createPermissionsAnswer(["*"])],
    }));

    const run = await getBundle().run([], azure.env);

    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/^\[warn\] The identity is Reader/m);
    expect(run.stderr).toContain("warning TOO_MUCH_PRIVILEGE: ");
  });
});

describe.concurrent("what a service sends", () => {
  it("can't bring the token into the output", async () => {
    const subject = createSubject();
    await using azure = await startAzure(subject, getBundle().certificate, (audience) => ({
      group: [
        createArmError(
          404,
          "ResourceGroupNotFound",
          `You sent "Bearer ${createToken(subject, audience)}".`,
          { server: createToken(subject, audience).slice(20, 80) },
        ),
      ],
    }));

    const runs = await Promise.all([
      getBundle().run(["--json"], azure.env),
      getBundle().run([], azure.env),
      getBundle().run([], { ...azure.env, DEBUG: "*" }),
    ]);

    for (const run of runs) {
      expect(run.exitCode).toBe(52);
      expect(run.stdout + run.stderr).toContain("[redacted]");
      expectNoLeak(run, createToken(subject, `${azure.arm.url}/`));
    }
  });

  it("can't change the names of the report's fields", async () => {
    const { report } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [
          createTokenAnswer(subject, audience, {
            // Every field name of the report that is long enough to be taken for a piece of a token.
            access_token:
              "tokenExpiresOn.tokenSecondsLeft.resourceGroup.provisioningState.subscriptionId",
          }),
        ],
      }),
    });

    expect(report.identity).toHaveProperty("tokenExpiresOn");
    expect(report.resourceGroup).toHaveProperty("provisioningState", "Succeeded");
  });

  it("is printed in part when it is long", async () => {
    await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
      group: [createArmError(404, "ResourceGroupNotFound", "long ".repeat(100_000))],
    }));

    const run = await getBundle().run([], azure.env);

    expect(run.stderr).toContain("long long");
    expect(run.stdout.length + run.stderr.length).toBeLessThan(4_000);
  });

  it("is printed on one line, without control characters", async () => {
    const subject = createSubject();
    await using azure = await startAzure(subject, getBundle().certificate, () => ({
      group: [
        createGroupAnswer(subject, { tags: { project: "\u001b[2Jtutorial\n[ ok ] forged" } }),
      ],
    }));

    const run = await getBundle().run([], azure.env);

    expect(run.stdout).not.toContain("\u001b");
    expect(run.stdout).not.toMatch(/^\[ ok \] forged/m);
    expect(run.stdout).toContain("tutorial [ ok ] forged");
  });
});

describe.concurrent("a reader of the output that goes away", () => {
  it.each([[["--json"]], [[]]])("leaves the exit code as it is, with %j", async (args) => {
    await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
      group: [createArmError(404, "ResourceGroupNotFound")],
    }));

    const started = getBundle().start(args, azure.env);
    started.process.stdout?.destroy();
    started.process.stderr?.destroy();

    expect((await started.ended).exitCode).toBe(52);
  });
});

describe.concurrent("waiting", () => {
  it("names a step that takes long while it goes on", async () => {
    const { run } = await runVerify(getBundle(), {
      args: ["--wait", "0", "--timeout", "2.5"],
      replies: { token: [() => undefined] },
    });

    expect(run.stderr).toBe("still at: The managed identity gets a token\n");
  });

  it("names no step that has ended, and one that goes on after a pause", async () => {
    const { run } = await runVerify(getBundle(), {
      env: { AZURE_RESOURCE_GROUP: undefined },
      args: ["--wait", "60", "--timeout", "4"],
      replies: {
        instance: [{ status: 503 }, () => undefined],
        token: [{ status: 503 }, { status: 400 }],
      },
    });
    const slow = await runVerify(getBundle(), {
      args: ["--wait", "1", "--timeout", "2.5"],
      replies: { group: [{ status: 503 }, () => undefined] },
    });

    expect(run.stderr).toBe("");
    expect(slow.run.stderr).toBe("still at: The token reads the resource group\n");
  });

  it.skipIf(process.platform === "win32")(
    "ends with Ctrl-C, and what is known by then is reported",
    async () => {
      const denied = createArmError(403, "AuthorizationFailed");
      const subject = createSubject();
      await using azure = await startAzure(subject, getBundle().certificate, () => ({
        group: [denied],
        permissions: [denied],
      }));

      const started = getBundle().start(["--json"], azure.env);
      started.process.stderr?.once("data", () => started.process.kill("SIGINT"));
      const run = await started.ended;

      expect(run.stderr).toContain("403");
      expect(run.exitCode).toBe(50);
      expect(parseReport(run).error).toMatchObject({
        code: "ACCESS_DENIED",
        cameBack: { status: 403, code: "AuthorizationFailed" },
      });
      expect(run.durationMs).toBeLessThan(5_000);
    },
  );

  it.skipIf(process.platform === "win32")(
    "for the permissions ends with Ctrl-C, and does not look like a success",
    async () => {
      await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
        permissions: [
          (response) => {
            response.writeHead(503).end();
            setTimeout(() => started.process.kill("SIGINT"), 300);
          },
        ],
      }));

      const started = getBundle().start(["--json"], azure.env);
      const run = await started.ended;

      expect(run.exitCode).toBe(130);
      expect(parseReport(run)).toMatchObject({
        error: { code: "INTERRUPTED" },
        resourceGroup: { name: "rg-tutorial" },
      });
    },
  );

  it.skipIf(process.platform === "win32").each(["SIGINT", "SIGTERM"] as const)(
    "for a first answer ends with %s as a failure of its own",
    async (signal) => {
      await using azure = await startAzure(createSubject(), getBundle().certificate, () => ({
        token: [() => started.process.kill(signal)],
      }));

      const started = getBundle().start(["--json"], azure.env);
      const run = await started.ended;

      expect(run.exitCode).toBe(130);
      expect(parseReport(run).error?.code).toBe("INTERRUPTED");
      expect(run.durationMs).toBeLessThan(5_000);
    },
  );
});

describe.concurrent("the table of exit codes", () => {
  const rows = Object.entries(FAILURES);

  it("has a code of its own for each failure", () => {
    expect(new Set(rows.map(([, { exitCode }]) => exitCode)).size).toBe(rows.length);
    // Left to verify.ps1.
    expect(rows.filter(([, { exitCode }]) => exitCode >= 70 && exitCode < 80)).toEqual([]);
  });

  it.each([["--help"], ["-h"], ["--json", "--help", "--wait", "x"]])(
    "is in the help of %s, which asks nothing",
    async (...args) => {
      const run = await getBundle().run(args);

      expect(run).toMatchObject({ exitCode: 0, stderr: "" });
      const shown = [...run.stdout.matchAll(/^ +(\d+) ([A-Z_]+) +(.+)$/gm)];
      expect(shown.map(([, exitCode, code, meaning]) => [code, Number(exitCode), meaning])).toEqual(
        rows.map(([code, { exitCode, meaning }]) => [code, exitCode, meaning]),
      );
    },
  );

  it("is in the README", async () => {
    const readme = await readFile(join(__dirname, "../../README.md"), "utf8");
    const shown = [...readme.matchAll(/^\| +(\d+) +\| `([A-Z_]+)` +\| (.+?) +\|$/gm)];
    expect(
      shown
        .map(([, exitCode, code, meaning]) => [code, Number(exitCode), meaning])
        .filter(([, exitCode]) => Number(exitCode) < 70 || exitCode === 130),
    ).toEqual(rows.map(([code, { exitCode, meaning }]) => [code, exitCode, meaning]));
  });
});
