import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createGroupAnswer,
  createSubject,
  createTokenAnswer,
  IDENTITY_NOT_FOUND,
  type Subject,
} from "./azure-answers";
import { createBundle, expectNoLeak, parseReport, toEnvironment, type Bundle } from "./bundle-run";
import { startServer, type Reply } from "./servers";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await createBundle();
});
afterAll(() => bundle.remove());

/** Asks the same of every case: the one documented request, each time; no token in any output. */
async function runAgainst(replies: (subject: Subject) => Reply[], args: readonly string[]) {
  const subject = createSubject();
  await using imds = await startServer(replies(subject));
  await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);
  const run = await bundle.run(["--json", ...args], toEnvironment(subject, imds.url, arm.url));

  const audience = encodeURIComponent(`${arm.url}/`);
  for (const request of imds.received) {
    expect(request).toMatchObject({
      method: "GET",
      url: `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${audience}&client_id=${subject.clientId}`,
      headers: { metadata: "true" },
    });
  }
  expectNoLeak(run, subject.token);
  return { run, report: parseReport(run), imds, arm };
}

const imdsError = (status: number, error: string, description: string): Reply => ({
  status,
  body: { error, error_description: description },
});

const drip: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json" });
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => {
    clearInterval(timer);
  });
};

/** Starts a token answer and cuts the connection in the middle of it. */
const cutShort =
  (subject: Subject): Reply =>
  (response, socket) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "5000" });
    response.write(JSON.stringify(createTokenAnswer(subject).body), () => socket.resetAndDestroy());
  };

const endless: Reply = (response) => {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = "x".repeat(64 * 1024);
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
};

interface FailureCase {
  name: string;
  replies: (subject: Subject) => Reply[];
  code: FailureCode;
  exitCode: number;
  cameBack?: object;
  /** Requests expected at IMDS; 1 unless told. */
  requests?: number;
  args?: string[];
}

const failures: FailureCase[] = [
  {
    name: "400 Identity not found",
    replies: () => [IDENTITY_NOT_FOUND],
    code: "IDENTITY_NOT_ATTACHED",
    exitCode: 20,
    cameBack: { status: 400, code: "invalid_request", message: "Identity not found" },
  },
  {
    name: "400 Identity not found, waited for as long as told",
    replies: () => [IDENTITY_NOT_FOUND],
    args: ["--wait", "0.4"],
    requests: 2,
    code: "IDENTITY_NOT_ATTACHED",
    exitCode: 20,
  },
  {
    name: "400 unknown audience",
    replies: () => [imdsError(400, "invalid_resource", "AADSTS500011: not found in the tenant")],
    args: ["--wait", "5"],
    code: "AUDIENCE_UNKNOWN",
    exitCode: 21,
    cameBack: { status: 400, code: "invalid_resource" },
  },
  {
    name: "400 with an empty body",
    replies: () => [{ status: 400 }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
    cameBack: { status: 400 },
  },
  {
    name: "400 with {}",
    replies: () => [{ status: 400, body: {} }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "400 with an error that is an object",
    replies: () => [{ status: 400, body: { error: { code: "invalid_request" } } }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "403 from the VM's guard",
    replies: () => [{ status: 403, body: "denied" }],
    args: ["--wait", "5"],
    code: "IMDS_DENIED",
    exitCode: 16,
    cameBack: { status: 403 },
  },
  {
    name: "405",
    replies: () => [{ status: 405 }],
    args: ["--wait", "5"],
    code: "IMDS_REFUSED",
    exitCode: 17,
  },
  {
    name: "404 for ever",
    replies: () => [{ status: 404 }],
    args: ["--wait", "0.4"],
    requests: 2,
    code: "IMDS_UNAVAILABLE",
    exitCode: 14,
    cameBack: { status: 404 },
  },
  {
    name: "410 for ever",
    replies: () => [{ status: 410 }],
    args: ["--wait", "0.4"],
    requests: 2,
    code: "IMDS_UNAVAILABLE",
    exitCode: 14,
  },
  {
    name: "500 for ever",
    replies: () => [
      imdsError(500, "unknown", "Failed to retrieve token from the Active directory"),
    ],
    args: ["--wait", "0.4"],
    requests: 2,
    code: "IMDS_UNAVAILABLE",
    exitCode: 14,
    cameBack: { status: 500, code: "unknown" },
  },
  {
    name: "502 in HTML",
    replies: () => [
      { status: 502, headers: { "content-type": "text/html" }, body: "<h1>502</h1>" },
    ],
    code: "IMDS_UNAVAILABLE",
    exitCode: 14,
  },
  {
    name: "429 for ever, Retry-After 0",
    replies: () => [
      { status: 429, headers: { "retry-after": "0" }, body: { error: "invalid_request" } },
    ],
    args: ["--wait", "60"],
    requests: 6,
    code: "IMDS_THROTTLED",
    exitCode: 15,
  },
  {
    name: "429 that asks for more time than there is",
    replies: () => [{ status: 429, headers: { "retry-after": "3600" } }],
    args: ["--wait", "60"],
    code: "IMDS_THROTTLED",
    exitCode: 15,
  },
  {
    name: "a redirect",
    replies: () => [{ status: 302, headers: { location: "http://127.0.0.1:9/stolen" } }],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
    cameBack: { status: 302 },
  },
  {
    name: "204",
    replies: () => [{ status: 204 }],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  {
    name: "HTML with status 200",
    replies: () => [
      {
        status: 200,
        headers: { "content-type": "text/html", server: "captive-portal" },
        body: "<html>Log in</html>",
      },
    ],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
    cameBack: { status: 200, server: "captive-portal" },
  },
  {
    name: "an empty body with status 200",
    replies: () => [{ status: 200, headers: { "content-type": "application/json" } }],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  ...["null", "[]", "42", '"text"'].map((body) => ({
    name: `${body} with status 200`,
    replies: () => [{ status: 200, headers: { "content-type": "application/json" }, body }],
    code: "IMDS_BAD_ANSWER" as const,
    exitCode: 12,
  })),
  {
    name: "a broken token answer with status 200",
    replies: (subject) => [
      { status: 200, body: JSON.stringify(createTokenAnswer(subject).body).slice(0, -10) },
    ],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  ...[undefined, "", 42, null, "line\r\nbreak"].map((token) => ({
    name: `the access token ${JSON.stringify([token])}`,
    replies: (subject: Subject) => [createTokenAnswer(subject, { access_token: token })],
    code: "IMDS_BAD_ANSWER" as const,
    exitCode: 12,
  })),
  {
    name: "a token of another type",
    replies: (subject) => [createTokenAnswer(subject, { token_type: "pop" })],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  {
    name: "an endless body",
    replies: () => [endless],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  {
    name: "no HTTP at all",
    replies: () => [(_response, socket) => socket.end("SSH-2.0-server\r\n\r\n")],
    args: ["--wait", "5"],
    code: "IMDS_BAD_ANSWER",
    exitCode: 12,
  },
  {
    name: "a slow drip",
    replies: () => [drip],
    args: ["--wait", "0", "--timeout", "0.5"],
    code: "IMDS_TIMEOUT",
    exitCode: 11,
  },
  {
    name: "silence",
    replies: () => [() => undefined],
    args: ["--wait", "0", "--timeout", "0.5"],
    code: "IMDS_TIMEOUT",
    exitCode: 11,
  },
  {
    name: "a reset before any answer",
    replies: () => [(_response, socket) => socket.resetAndDestroy()],
    code: "IMDS_UNREACHABLE",
    exitCode: 10,
    cameBack: { code: "ECONNRESET" },
  },
  {
    name: "a reset in the middle of the body",
    replies: (subject) => [cutShort(subject)],
    code: "IMDS_UNREACHABLE",
    exitCode: 10,
  },
];

describe.concurrent("a token request that fails", () => {
  it.each(failures)("$name: $code", async (failure) => {
    const {
      replies,
      code,
      exitCode,
      cameBack = {},
      requests = 1,
      args = ["--wait", "0"],
    } = failure;
    const { run, report, imds, arm } = await runAgainst(replies, args);

    expect(run.exitCode).toBe(exitCode);
    expect(report).toMatchObject({
      ok: false,
      exitCode,
      error: { code, asked: { method: "GET" }, cameBack },
    });
    expect(report.steps.map(({ status }) => status)).toEqual(["passed", "failed", "skipped"]);
    expect(report.error?.asked?.url).toBe(`${imds.url}${imds.received[0]?.url ?? ""}`);
    expect(imds.received).toHaveLength(requests);
    expect(arm.received).toEqual([]);
    expect(run.durationMs).toBeLessThan(4_000);
  });

  it("says so when nobody listens, at once", async () => {
    const subject = createSubject();
    const imds = await startServer([{ status: 500 }]);
    await imds.close();

    const run = await bundle.run(
      ["--json"],
      toEnvironment(subject, imds.url, "https://127.0.0.1:9"),
    );

    expect(run.exitCode).toBe(10);
    expect(parseReport(run).error).toMatchObject({
      code: "IMDS_UNREACHABLE",
      cameBack: { code: "ECONNREFUSED" },
    });
    expect(run.durationMs).toBeLessThan(2_000);
  });
});

const passing: { name: string; first: (subject: Subject) => Reply[] }[] = [
  { name: "404", first: () => [{ status: 404 }] },
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
  { name: "a reset", first: (subject) => [cutShort(subject)] },
];

describe.concurrent("a token request that works after a while", () => {
  it.each(passing)("$name, then the token", async ({ first }) => {
    const { run, report, imds } = await runAgainst(
      (subject) => [...first(subject), createTokenAnswer(subject)],
      ["--wait", "20"],
    );

    expect(run.exitCode).toBe(0);
    expect(report.ok).toBe(true);
    expect(imds.received).toHaveLength(first(createSubject()).length + 1);
  });

  it("says on stderr what it waits for when that takes longer than a second", async () => {
    const { run, imds } = await runAgainst(
      (subject) => [{ status: 404 }, { status: 404 }, createTokenAnswer(subject)],
      ["--wait", "20"],
    );

    expect(run.exitCode).toBe(0);
    expect(imds.received).toHaveLength(3);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run.stderr).toContain("404");
  });
});

describe.concurrent("a token answer's expiry", () => {
  it.each(["soon", "2026-13-99", -1, null, "9".repeat(30)])("may be %j", async (expiresOn) => {
    const { run } = await runAgainst(
      (subject) => [createTokenAnswer(subject, { expires_on: expiresOn })],
      [],
    );

    expect(run.exitCode).toBe(0);
  });
});
