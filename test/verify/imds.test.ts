import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createImdsError,
  createSubject,
  createTokenAnswer,
  IDENTITY_NOT_FOUND,
  type Subject,
} from "./azure-answers";
import { runVerify, useBundle } from "./runs";
import type { Reply } from "./servers";

const getBundle = useBundle();

interface FailureCase {
  name: string;
  replies: Reply[] | ((subject: Subject) => Reply[]);
  code: FailureCode;
  exitCode: number;
  cameBack?: object;
  causes?: string[];
  /** Token requests expected at least; exactly 1 unless told. How many there are in all is for retry.test.ts. */
  requests?: number;
  args?: string[];
}

const page = (status: number, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8", ...headers },
  body: "<h1>Log in</h1>",
});

const failures: FailureCase[] = [
  {
    name: "400 Identity not found",
    replies: [IDENTITY_NOT_FOUND],
    code: "IDENTITY_NOT_ATTACHED",
    exitCode: 20,
    cameBack: { status: 400, code: "invalid_request", message: "Identity not found" },
    causes: ["IDENTITY_NEVER_ATTACHED", "IDENTITY_RECREATED", "REQUEST_CHANGED"],
  },
  {
    name: "400 Identity not found, waited for as long as told",
    replies: [IDENTITY_NOT_FOUND],
    args: ["--wait", "2"],
    requests: 2,
    code: "IDENTITY_NOT_ATTACHED",
    exitCode: 20,
  },
  {
    name: "400 several identities, as when the id is lost on the way",
    replies: [createImdsError(400, "invalid_request", "Multiple user assigned identities exist")],
    code: "IDENTITY_NOT_ATTACHED",
    exitCode: 20,
    cameBack: { message: "Multiple user assigned identities exist" },
  },
  {
    name: "400 unknown audience",
    replies: [createImdsError(400, "invalid_resource", "AADSTS500011: not found in the tenant")],
    args: ["--wait", "5"],
    code: "AUDIENCE_UNKNOWN",
    exitCode: 21,
    cameBack: { status: 400, code: "invalid_resource" },
  },
  {
    name: "400 with an empty body",
    replies: [{ status: 400 }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
    cameBack: { status: 400 },
  },
  {
    name: "400 with {}",
    replies: [{ status: 400, body: {} }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "400 with an error that is an object",
    replies: [createImdsError(400, { code: "invalid_request" })],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "403 from the VM's guard, or from a container runtime",
    replies: [{ status: 403, body: "A socket operation was attempted to an unreachable network." }],
    args: ["--wait", "5"],
    code: "IMDS_DENIED",
    exitCode: 16,
    cameBack: { status: 403 },
    causes: ["METADATA_SECURITY_PROTOCOL", "CONTAINER_NETWORK", "FORWARDED_REQUEST"],
  },
  {
    name: "401",
    replies: [{ status: 401 }],
    args: ["--wait", "5"],
    code: "IMDS_DENIED",
    exitCode: 16,
  },
  {
    name: "405",
    replies: [{ status: 405 }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "408, which Microsoft's table does not have",
    replies: [{ status: 408 }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  ...[404, 410, 500, 504].map((status) => ({
    name: `${status} for ever`,
    replies: [createImdsError(status, "unknown", "Told by the service.")],
    args: ["--wait", "2"],
    requests: 2,
    code: "IMDS_UNAVAILABLE" as const,
    exitCode: 14,
    cameBack: { status, code: "unknown", message: "Told by the service." },
  })),
  {
    name: "a page of Azure's own server with 500",
    replies: [page(500, { server: "Microsoft-IIS/10.0" })],
    code: "IMDS_UNAVAILABLE",
    exitCode: 14,
  },
  {
    name: "429 for ever, Retry-After 0",
    replies: [{ status: 429, headers: { "retry-after": "0" }, body: { error: "invalid_request" } }],
    args: ["--wait", "2"],
    requests: 2,
    code: "IMDS_THROTTLED",
    exitCode: 15,
    cameBack: { status: 429, retryAfterSeconds: 0 },
  },
  {
    name: "429 for ever, no Retry-After",
    replies: [{ status: 429 }],
    args: ["--wait", "2"],
    requests: 2,
    code: "IMDS_THROTTLED",
    exitCode: 15,
  },
  {
    name: "429 that asks for more time than there is",
    replies: [{ status: 429, headers: { "retry-after": "3600" } }],
    args: ["--wait", "60"],
    code: "IMDS_THROTTLED",
    exitCode: 15,
    cameBack: { retryAfterSeconds: 3600 },
  },
  ...[
    ["407", { status: 407 }] as const,
    ["504 with Via", { status: 504, headers: { via: "1.1 squid" } }] as const,
  ].map(([name, reply]) => ({
    name,
    replies: [reply],
    code: "IMDS_PROXIED" as const,
    exitCode: 13,
  })),
  ...[401, 403, 404, 502].map((status) => ({
    name: `${status} in HTML, as from another cloud's metadata service`,
    replies: [page(status, { server: "EC2ws" })],
    code: "IMDS_BAD_ANSWER" as const,
    exitCode: 12,
    cameBack: { status, server: "EC2ws" },
    causes: ["NOT_AN_AZURE_VM", "CONTAINER_NETWORK", "ROUTE_OR_FIREWALL"],
  })),
  {
    name: "a captive portal's page with status 200",
    replies: [page(200, { server: "captive-portal" })],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
    cameBack: { status: 200, server: "captive-portal" },
  },
  { name: "204", replies: [{ status: 204 }], code: "IMDS_BAD_ANSWER", exitCode: 12 },
  ...[undefined, "", 42, null, "x".repeat(30) + "\r\nbreak", "resourceGroup"].map((token) => ({
    name: `the access token ${JSON.stringify([token])}`,
    replies: (subject: Subject) => [createTokenAnswer(subject, "", { access_token: token })],
    code: "IMDS_BAD_ANSWER" as const,
    exitCode: 12,
  })),
  {
    name: "a token of another type",
    replies: (subject) => [createTokenAnswer(subject, "", { token_type: "pop" })],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
];

describe.concurrent("a token request that fails", () => {
  it.each(failures)("$name: $code", async (failure) => {
    const { replies, code, exitCode, cameBack = {}, requests = 1 } = failure;
    const { run, report, azure } = await runVerify(getBundle(), {
      args: failure.args ?? ["--wait", "0"],
      replies: (subject) => ({
        token: typeof replies === "function" ? replies(subject) : replies,
      }),
    });

    expect(run.exitCode).toBe(exitCode);
    expect(report).toMatchObject({
      ok: false,
      error: { code, asked: { method: "GET" }, cameBack },
    });
    const steps = report.steps.map(({ status }) => status);
    expect(steps).toEqual(["passed", "not-needed", "failed", "skipped", "skipped", "skipped"]);
    const asked = azure.listRequests("token");
    if (requests === 1) expect(asked).toHaveLength(1);
    else expect(asked.length).toBeGreaterThanOrEqual(requests);
    expect(report.error?.asked?.url).toBe(`${azure.imds.url}${asked[0]?.url ?? ""}`);
    expect(azure.arm.received).toEqual([]);
    if (failure.causes) {
      expect(report.error?.causes.map((cause) => cause.code)).toEqual(failure.causes);
    }
    expect(run.durationMs).toBeLessThan(10_000);
  });
});

const createCutShort = (subject: Subject): Reply => {
  const text = JSON.stringify(createTokenAnswer(subject, "").body);
  return (response, socket) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
    response.write(text, () => socket.resetAndDestroy());
  };
};

const passing: { name: string; first: (subject: Subject) => Reply[] }[] = [
  { name: "404 twice", first: () => [{ status: 404 }, { status: 404 }] },
  { name: "410", first: () => [{ status: 410 }] },
  { name: "500", first: () => [{ status: 500 }] },
  { name: "504", first: () => [{ status: 504 }] },
  { name: "400 Identity not found", first: () => [IDENTITY_NOT_FOUND] },
  { name: "429 without Retry-After", first: () => [{ status: 429 }] },
  {
    name: "429 with Retry-After in seconds, twice",
    first: () => [
      { status: 429, headers: { "retry-after": "0" } },
      { status: 429, headers: { "retry-after": "1" } },
    ],
  },
  {
    name: "429 with Retry-After as a date",
    first: () => [
      {
        status: 429,
        headers: {
          date: "Wed, 21 Oct 2015 07:28:00 GMT",
          "retry-after": "Wed, 21 Oct 2015 07:28:01 GMT",
        },
      },
    ],
  },
  { name: "a reset", first: (subject) => [createCutShort(subject)] },
];

describe.concurrent("a token request that works after a while", () => {
  it.each(passing)("$name, then the token", async ({ first }) => {
    const { run, report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "20"],
      replies: (subject, audience) => ({
        token: [...first(subject), createTokenAnswer(subject, audience)],
      }),
    });

    expect(report.error).toBeUndefined();
    expect(run.exitCode).toBe(0);
    const requests = first(createSubject()).length + 1;
    expect(azure.countRequests()).toEqual({ token: requests, group: 1, permissions: 1 });
  });

  it("may take longer than a connection may", async () => {
    const { report } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: (subject, audience) => ({
        token: [
          (response) => {
            const { body } = createTokenAnswer(subject, audience);
            setTimeout(() => response.end(JSON.stringify(body)), 3_300);
          },
        ],
      }),
    });

    expect(report.error).toBeUndefined();
  });

  it.each([
    // At 0, 1 and 2 s: only a pause of more than a second is worth a line.
    ["2", []],
    ["3.2", [expect.stringContaining("404") as string]],
  ])("says what it waits for, here for %s s", async (wait, lines) => {
    const { run } = await runVerify(getBundle(), {
      args: ["--wait", wait],
      replies: { token: [{ status: 404 }] },
    });

    expect(run.stderr.split("\n").filter(Boolean)).toEqual(lines);
  });
});

describe.concurrent("a token answer's expiry", () => {
  it.each(["soon", "2026-13-99", -1, null, "9".repeat(30), 1e18])("may be %j", async (value) => {
    const { report, subject } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [createTokenAnswer(subject, audience, { expires_on: value })],
      }),
    });

    expect(report.ok).toBe(true);
    // The token's own claim counts.
    expect(report.identity?.tokenExpiresOn).toBe(
      new Date((subject.now + 86_400) * 1_000).toISOString(),
    );
  });

  it("counts when the token itself can't be read", async () => {
    const token = `opaque-${"x".repeat(60)}`;
    const { report, subject } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [createTokenAnswer(subject, audience, { access_token: token })],
      }),
    });

    expect(report.ok).toBe(true);
    expect(report.identity).toMatchObject({
      clientId: subject.clientId,
      tokenExpiresOn: new Date((subject.now + 86_400) * 1_000).toISOString(),
    });
    expect(report.identity).not.toHaveProperty("principalId");
    expect(JSON.stringify(report)).not.toContain("opaque");
  });
});
