import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createArmError,
  createGroupAnswer,
  createSubject,
  createTokenAnswer,
  type Subject,
} from "./azure-answers";
import { createBundle, expectNoLeak, parseReport, toEnvironment, type Bundle } from "./bundle-run";
import { createCertificate, startServer, type Reply } from "./servers";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await createBundle();
});
afterAll(() => bundle.remove());

/** Asks the same of every case: the one documented request, each time; no token in any output. */
async function runAgainst(replies: (subject: Subject) => Reply[], args: readonly string[]) {
  const subject = createSubject();
  await using imds = await startServer([createTokenAnswer(subject)]);
  await using arm = await startServer(replies(subject), bundle.certificate);
  const run = await bundle.run(["--json", ...args], toEnvironment(subject, imds.url, arm.url));

  for (const request of arm.received) {
    expect(request).toMatchObject({
      method: "GET",
      url: `/subscriptions/${subject.subscriptionId}/resourceGroups/rg-tutorial?api-version=2021-04-01`,
      headers: { authorization: `Bearer ${subject.token}` },
    });
  }
  expect(imds.received).toHaveLength(1);
  expectNoLeak(run, subject.token);
  return { run, report: parseReport(run), subject, arm };
}

interface FailureCase {
  name: string;
  replies: (subject: Subject) => Reply[];
  code: FailureCode;
  exitCode: number;
  cameBack?: object;
  /** Requests expected at ARM; 1 unless told. */
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
];

const failures: FailureCase[] = [
  ...serviceErrors.map(([status, serviceCode, code, exitCode]) => ({
    name: `${status} ${serviceCode}`,
    replies: () => [createArmError(status, serviceCode)],
    args: ["--wait", "5"],
    code,
    exitCode,
    cameBack: { status, code: serviceCode, message: "Told by the service.", ...REQUEST_IDS },
  })),
  {
    name: "403 without waiting",
    replies: () => [createArmError(403, "AuthorizationFailed")],
    code: "ACCESS_DENIED",
    exitCode: 50,
    cameBack: { status: 403, code: "AuthorizationFailed", ...REQUEST_IDS },
  },
  {
    name: "403 for as long as told to wait",
    replies: () => [createArmError(403, "AuthorizationFailed")],
    args: ["--wait", "1.4"],
    requests: 3,
    code: "ACCESS_DENIED",
    exitCode: 50,
  },
  {
    name: "429 for ever, Retry-After 0",
    replies: () => [createArmError(429, "TooManyRequests", "", { "retry-after": "0" })],
    args: ["--wait", "60"],
    requests: 6,
    code: "ARM_THROTTLED",
    exitCode: 34,
    cameBack: { status: 429, code: "TooManyRequests" },
  },
  {
    name: "503 for ever",
    replies: () => [createArmError(503, "ServerBusy")],
    args: ["--wait", "0.4"],
    requests: 2,
    code: "ARM_UNAVAILABLE",
    exitCode: 33,
  },
  {
    name: "a redirect",
    replies: () => [{ status: 307, headers: { location: "https://127.0.0.1:9/" } }],
    args: ["--wait", "5"],
    code: "ARM_BAD_ANSWER",
    exitCode: 32,
  },
  {
    name: "HTML with status 200",
    replies: () => [{ status: 200, headers: { "content-type": "text/html" }, body: "<html>" }],
    code: "ARM_BAD_ANSWER",
    exitCode: 32,
  },
  {
    name: "an empty body with status 200",
    replies: () => [{ status: 200 }],
    code: "ARM_BAD_ANSWER",
    exitCode: 32,
  },
  ...["id", "name", "location", "properties"].map((field) => ({
    name: `a resource group without ${field}`,
    replies: (subject: Subject) => [
      { status: 200, body: { ...createGroupAnswer(subject).body, [field]: undefined } },
    ],
    code: "ARM_BAD_ANSWER" as const,
    exitCode: 32,
  })),
  {
    name: "an oversized body",
    // Right in every other way, so that only its size can be the reason.
    replies: (subject) => [
      {
        status: 200,
        body: { ...createGroupAnswer(subject).body, padding: "x".repeat(2 * 1024 * 1024) },
      },
    ],
    code: "ARM_BAD_ANSWER",
    exitCode: 32,
  },
  {
    name: "silence",
    replies: () => [() => undefined],
    args: ["--wait", "0", "--timeout", "1"],
    code: "ARM_TIMEOUT",
    exitCode: 31,
  },
  {
    name: "a slow drip",
    replies: () => [
      (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const timer = setInterval(() => response.write(" "), 50);
        response.on("close", () => {
          clearInterval(timer);
        });
      },
    ],
    args: ["--wait", "0", "--timeout", "1"],
    code: "ARM_TIMEOUT",
    exitCode: 31,
  },
  {
    name: "a reset",
    replies: () => [(_response, socket) => socket.destroy()],
    code: "ARM_UNREACHABLE",
    exitCode: 30,
  },
];

describe.concurrent("a resource group request that fails", () => {
  it.each(failures)("$name: $code", async (failure) => {
    const {
      replies,
      code,
      exitCode,
      cameBack = {},
      requests = 1,
      args = ["--wait", "0"],
    } = failure;
    const { run, report, subject, arm } = await runAgainst(replies, args);

    expect(run.exitCode).toBe(exitCode);
    expect(report).toMatchObject({
      ok: false,
      exitCode,
      // Who asked is known even though the request failed: it is what a 403 is about.
      identity: { clientId: subject.clientId, principalId: subject.principalId },
      error: { code, asked: { method: "GET" }, cameBack },
    });
    expect(report.steps.map(({ status }) => status)).toEqual(["passed", "passed", "failed"]);
    expect(report.error?.asked?.url).toBe(`${arm.url}${arm.received[0]?.url ?? ""}`);
    expect(arm.received).toHaveLength(requests);
    expect(run.durationMs).toBeLessThan(5_000);
  });

  it("gives the commands that find and mend a missing role", async () => {
    const { report, subject } = await runAgainst(
      () => [createArmError(403, "AuthorizationFailed")],
      ["--wait", "0"],
    );

    const scope = `/subscriptions/${subject.subscriptionId}/resourceGroups/rg-tutorial`;
    const [list, create] = report.error?.commands ?? [];
    expect(list).toMatch(/^az role assignment list /);
    expect(list).toContain(subject.principalId);
    expect(list).toContain(`"${scope}"`);
    expect(create).toMatch(/^az role assignment create .*--role Reader/);
    expect(create).toContain(subject.principalId);
    expect(create).toContain(`"${scope}"`);
  });

  it("refuses a certificate it has no reason to trust", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], await createCertificate());

    const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, arm.url));

    expect(run.exitCode).toBe(35);
    expect(parseReport(run).error?.code).toBe("ARM_NOT_TRUSTED");
    expect(arm.received).toEqual([]);
    expectNoLeak(run, subject.token);
  });

  it("says so when nobody listens, at once", async () => {
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    const arm = await startServer([], bundle.certificate);
    await arm.close();

    const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, arm.url));

    expect(run.exitCode).toBe(30);
    expect(parseReport(run).error).toMatchObject({
      code: "ARM_UNREACHABLE",
      cameBack: { code: "ECONNREFUSED" },
    });
    expect(run.durationMs).toBeLessThan(2_000);
    expectNoLeak(run, subject.token);
  });
});

describe.concurrent("a resource group request that works after a while", () => {
  it.each([
    ["403", createArmError(403, "AuthorizationFailed")],
    ["429", createArmError(429, "TooManyRequests", "", { "retry-after": "1" })],
    ["503", createArmError(503, "ServerBusy")],
  ])("%s, then the group", async (_name, first) => {
    const { run, report, arm } = await runAgainst(
      (subject) => [first, createGroupAnswer(subject)],
      ["--wait", "20"],
    );

    expect(run.exitCode).toBe(0);
    expect(report.resourceGroup?.name).toBe("rg-tutorial");
    expect(arm.received).toHaveLength(2);
  });

  it("reports a group without tags", async () => {
    const { run, report } = await runAgainst((subject) => {
      const { status, body } = createGroupAnswer(subject);
      return [{ status, body: { ...body, tags: undefined } }];
    }, []);

    expect(run.exitCode).toBe(0);
    expect(report.resourceGroup?.tags).toEqual({});
  });
});
