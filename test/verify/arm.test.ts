import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createArmError,
  createGroupAnswer,
  createInstanceAnswer,
  createPermissionsAnswer,
  createSubject,
  createToken,
  createTokenAnswer,
  getScope,
  type Subject,
} from "./azure-answers";
import { parseReport } from "./bundle-run";
import { startAzure } from "./fake-azure";
import { runVerify, useBundle } from "./runs";
import { createCertificate, type Reply } from "./servers";

const getBundle = useBundle();

interface FailureCase {
  name: string;
  replies: Reply[] | ((subject: Subject) => Reply[]);
  code: FailureCode;
  exitCode: number;
  cameBack?: object;
  /** Requests expected for the group at least; exactly 1 unless told. */
  requests?: number;
  args?: string[];
}

const REQUEST_IDS = {
  requestId: "aaaaaaaa-0000-4000-8000-000000000001",
  correlationId: "aaaaaaaa-0000-4000-8000-000000000002",
};

/** The service's error code decides, so each case tells only status and code. */
const serviceErrors: [number, string, FailureCode, number][] = [
  [401, "ExpiredAuthenticationToken", "TOKEN_EXPIRED", 41],
  [401, "InvalidAuthenticationTokenTenant", "TOKEN_WRONG_TENANT", 42],
  [401, "InvalidAuthenticationTokenAudience", "TOKEN_WRONG_AUDIENCE", 43],
  [401, "InvalidAuthenticationToken", "TOKEN_REFUSED", 40],
  [401, "AuthenticationFailed", "TOKEN_REFUSED", 40],
  [404, "SubscriptionNotFound", "SUBSCRIPTION_NOT_FOUND", 51],
  [404, "ResourceGroupNotFound", "RESOURCE_GROUP_NOT_FOUND", 52],
  [404, "InvalidResourceType", "ARM_REFUSED", 37],
  [400, "InvalidApiVersionParameter", "ARM_REFUSED", 37],
  [409, "SubscriptionDisabled", "ARM_REFUSED", 37],
  // No role would help, so nothing is waited for.
  [403, "DenyAssignmentAuthorizationFailed", "ACCESS_BLOCKED", 56],
  [403, "RequestDisallowedByAzure", "ACCESS_BLOCKED", 56],
];

const failures: FailureCase[] = [
  ...serviceErrors.map(([status, serviceCode, code, exitCode]) => ({
    name: `${status} ${serviceCode}`,
    replies: [createArmError(status, serviceCode)],
    args: ["--wait", "5"],
    code,
    exitCode,
    cameBack: { status, code: serviceCode, message: "Told by the service.", ...REQUEST_IDS },
  })),
  {
    name: "429 for ever, Retry-After 0",
    replies: [createArmError(429, "TooManyRequests", "", { "retry-after": "0" })],
    args: ["--wait", "2"],
    requests: 2,
    code: "ARM_THROTTLED",
    exitCode: 34,
    cameBack: { status: 429, code: "TooManyRequests", retryAfterSeconds: 0 },
  },
  ...[408, 503].map((status) => ({
    name: `${status} for ever`,
    replies: [createArmError(status, "ServerBusy")],
    args: ["--wait", "2"],
    requests: 2,
    code: "ARM_UNAVAILABLE" as const,
    exitCode: 33,
  })),
  ...["id", "name", "location", "properties"].map((field) => ({
    name: `a resource group without ${field}`,
    replies: (subject: Subject) => [createGroupAnswer(subject, { [field]: undefined })],
    code: "ARM_BAD_ANSWER" as const,
    exitCode: 32,
  })),
  {
    name: "an oversized body",
    // Right in every other way, so that only its size can be the reason.
    replies: (subject) => [createGroupAnswer(subject, { padding: "x".repeat(2 * 1024 * 1024) })],
    code: "ARM_BAD_ANSWER",
    exitCode: 32,
  },
];

describe.concurrent("a resource group request that fails", () => {
  it.each(failures)("$name: $code", async (failure) => {
    const { replies, code, exitCode, cameBack = {}, requests = 1 } = failure;
    const { run, report, subject, azure } = await runVerify(getBundle(), {
      args: failure.args ?? ["--wait", "0"],
      replies: (subject) => ({
        group: typeof replies === "function" ? replies(subject) : replies,
      }),
    });

    expect(run.exitCode).toBe(exitCode);
    expect(report).toMatchObject({
      ok: false,
      // Who asked is known even though the request failed.
      identity: { clientId: subject.clientId, principalId: subject.principalId },
      error: { code, asked: { method: "GET" }, cameBack },
    });
    const steps = report.steps.map(({ status }) => status);
    expect(steps).toEqual(["passed", "not-needed", "passed", "passed", "failed", "skipped"]);
    const { group = 0, ...others } = azure.countRequests();
    expect(others).toEqual({ token: 1 });
    if (requests === 1) expect(group).toBe(1);
    else expect(group).toBeGreaterThanOrEqual(requests);
    const asked = azure.listRequests("group")[0]?.url ?? "";
    expect(asked).toBe(`${getScope(subject)}?api-version=2021-04-01`);
    expect(report.error?.asked?.url).toBe(`${azure.arm.url}${asked}`);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  it("may be for a token that expired while verify waited", async () => {
    const { report } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [
          createTokenAnswer(subject, audience, {
            access_token: createToken(subject, audience, { exp: subject.now - 1 }),
          }),
        ],
        group: [createArmError(401, "ExpiredAuthenticationToken")],
      }),
    });

    expect(report.error).toMatchObject({
      code: "TOKEN_EXPIRED",
      hint: expect.stringContaining("while verify waited") as string,
    });
  });

  it("refuses a certificate it has no reason to trust, and sends it no token", async () => {
    const subject = createSubject();
    await using azure = await startAzure(subject, await createCertificate());
    const run = await getBundle().run(["--json"], azure.env);

    expect(run.exitCode).toBe(35);
    expect(parseReport(run).error?.code).toBe("ARM_NOT_TRUSTED");
    expect(azure.arm.received).toEqual([]);
  });
});

describe.concurrent("a resource group request that works after a while", () => {
  it.each([
    ["403", createArmError(403, "AuthorizationFailed")],
    ["429", createArmError(429, "TooManyRequests", "", { "retry-after": "1" })],
    ["503", createArmError(503, "ServerBusy")],
  ])("%s, then the group", async (_name, first) => {
    const { report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "20"],
      replies: (subject) => ({ group: [first, createGroupAnswer(subject)] }),
    });

    expect(report.resourceGroup?.name).toBe("rg-tutorial");
    expect(azure.countRequests()).toEqual({ token: 1, group: 2, permissions: 1 });
  });

  it("reports a group without tags", async () => {
    const { report } = await runVerify(getBundle(), {
      replies: (subject) => ({ group: [createGroupAnswer(subject, { tags: undefined })] }),
    });

    expect(report.resourceGroup?.tags).toEqual({});
  });
});

/** A clock for the process that runs 100 times as fast, and pauses that are as much shorter. */
async function writeFastClock(folder: string): Promise<string> {
  const file = join(folder, "fast-clock.cjs");
  await writeFile(
    file,
    `const now = process.hrtime.bigint;
     process.hrtime.bigint = () => now() * 100n;
     const timers = require("node:timers/promises");
     const sleep = timers.setTimeout;
     timers.setTimeout = (ms, ...others) => sleep(ms / 100, ...others);`,
  );
  return file;
}

const denied = createArmError(403, "AuthorizationFailed");
const createGroups = (...names: string[]): Reply => ({
  status: 200,
  body: { value: names.map((name) => ({ id: `/subscriptions/x/${name}`, name })) },
});

describe.concurrent("a 403 on the resource group", () => {
  it.each<{
    name: string;
    permissions?: Reply;
    groups?: Reply;
    instance?: object;
    issuedAgo?: number;
    code: FailureCode;
    exitCode: number;
    causes: string[];
  }>([
    {
      name: "when ARM tells nothing more",
      permissions: denied,
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID"],
    },
    {
      name: "when the list of groups is empty",
      permissions: createPermissionsAnswer([]),
      groups: createGroups(),
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID"],
    },
    {
      name: "on another group than the VM's own",
      permissions: denied,
      instance: { resourceGroupName: "rg-other" },
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID", "WRONG_NAME"],
    },
    {
      name: "with a token that was issued hours ago",
      permissions: denied,
      issuedAgo: 7_200,
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID", "STALE_TOKEN"],
    },
    {
      name: "when ARM lists a role that may read",
      permissions: createPermissionsAnswer(["*/read"]),
      code: "ROLE_PROPAGATING",
      exitCode: 54,
      causes: [],
    },
    {
      name: "when the list of groups has the group",
      permissions: denied,
      groups: createGroups("rg-other", "RG-Tutorial"),
      code: "ROLE_PROPAGATING",
      exitCode: 54,
      causes: [],
    },
    {
      name: "when ARM lists just the right to read groups",
      permissions: createPermissionsAnswer(["Microsoft.Resources/*/resourcegroups/Read"]),
      code: "ROLE_PROPAGATING",
      exitCode: 54,
      causes: [],
    },
    {
      name: "when the role that ARM lists leaves the group out",
      permissions: createPermissionsAnswer(["*"], {
        notActions: ["Microsoft.Resources/subscriptions/resourceGroups/read"],
      }),
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID"],
    },
    {
      name: "when the identity reads other groups",
      permissions: denied,
      groups: createGroups("rg-tutoral", "rg-other"),
      code: "RESOURCE_GROUP_HIDDEN",
      exitCode: 55,
      causes: ["WRONG_NAME", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID", "ROLE_PROPAGATING"],
    },
    {
      name: "when the list of other groups goes on elsewhere",
      permissions: denied,
      groups: { status: 200, body: { value: [{ name: "rg-other" }], nextLink: "https://x/" } },
      code: "ACCESS_DENIED",
      exitCode: 50,
      causes: ["ROLE_PROPAGATING", "ROLE_NOT_ASSIGNED", "ROLE_ON_CLIENT_ID"],
    },
  ])("$name: $code", async (row) => {
    const { run, report, subject, azure } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: (subject, audience) => ({
        group: [denied],
        permissions: [row.permissions ?? denied],
        groups: [row.groups ?? denied],
        instance: [createInstanceAnswer(subject, row.instance)],
        token: [
          createTokenAnswer(subject, audience, {
            access_token: createToken(
              subject,
              audience,
              row.issuedAgo ? { iat: subject.now - row.issuedAgo } : {},
            ),
          }),
        ],
      }),
    });

    expect(run.exitCode).toBe(row.exitCode);
    expect(report.error).toMatchObject({
      code: row.code,
      asked: { url: `${azure.arm.url}${getScope(subject)}?api-version=2021-04-01` },
      cameBack: { status: 403, code: "AuthorizationFailed", ...REQUEST_IDS },
    });
    expect(report.error?.causes.map(({ code }) => code)).toEqual(row.causes);
    expect(azure.countRequests()).toEqual({
      token: 1,
      group: 1,
      permissions: 1,
      groups: 1,
      instance: 1,
    });
  });

  it("is waited for as long as told", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "2"],
      replies: { group: [denied], permissions: [{ status: 503 }] },
    });

    expect(report.error?.code).toBe("ACCESS_DENIED");
    const { group = 0, ...others } = azure.countRequests();
    expect(group).toBeGreaterThanOrEqual(2);
    expect(others).toEqual({ token: 1, permissions: 1, groups: 1, instance: 1 });
  });

  it.each([
    { wait: [], code: "ROLE_MISSING", exitCode: 53 },
    { wait: ["--wait", "400"], code: "ACCESS_DENIED", exitCode: 50 },
  ])("is a missing role after more than 10 minutes, here with $wait", async (row) => {
    const { run, report, azure } = await runVerify(getBundle(), {
      args: row.wait,
      env: { NODE_OPTIONS: `--require=${await writeFastClock(dirname(getBundle().file))}` },
      replies: { group: [denied], permissions: [denied] },
    });

    expect(run.exitCode).toBe(row.exitCode);
    expect(report.error?.code).toBe(row.code);
    const codes = report.error?.causes.map(({ code }) => code) ?? [];
    expect(codes).toContain("ROLE_NOT_ASSIGNED");
    expect(codes.includes("ROLE_PROPAGATING")).toBe(row.code === "ACCESS_DENIED");
    // At 0, 1, 3, 7, 15, 30 s and so on; how many more depends on how long each call takes on this clock.
    expect(azure.listRequests("group").length).toBeGreaterThan(6);
    expect(run.stderr).toContain("trying again in 15 s");
  });

  it("puts nothing of a token into a command but a principal id", async () => {
    const { report } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: (subject, audience) => ({
        group: [denied],
        permissions: [denied],
        token: [
          createTokenAnswer(subject, audience, {
            access_token: createToken(subject, audience, { oid: '"; Remove-Item C:\\ -Recurse' }),
          }),
        ],
      }),
    });

    const commands = report.error?.causes.flatMap((cause) => cause.commands) ?? [];
    expect(commands.length).toBeGreaterThan(1);
    expect(commands.join()).not.toContain("Remove-Item");
  });

  it("gives the commands that find and mend a missing role", async () => {
    const { report, subject } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: { group: [denied], permissions: [denied] },
    });

    const causes = new Map(report.error?.causes.map(({ code, commands }) => [code, commands]));
    const [list, create] = causes.get("ROLE_NOT_ASSIGNED") ?? [];
    expect(list).toMatch(/^az role assignment list /);
    expect(create).toMatch(/^az role assignment create .*--role Reader/);
    for (const command of [list, create]) {
      expect(command).toContain(subject.principalId);
      expect(command).toContain(`"${getScope(subject)}"`);
    }
    expect(causes.get("ROLE_ON_CLIENT_ID")?.join()).toContain(subject.clientId);
  });

  it("of a proxy is not ARM's", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "5"],
      replies: { group: [{ status: 403, body: "denied" }] },
    });

    expect(azure.countRequests()).toEqual({ token: 1, group: 1 });
    expect(report.error?.code).toBe("ARM_BAD_ANSWER");
  });
});
