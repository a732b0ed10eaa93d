import { describe, expect, it } from "vitest";
import { RESOURCE_GROUP_RETRIES } from "../../verify/arm";
import { ARM_RETRIES } from "../../verify/arm-request";
import type { HttpFailure, HttpOutcome } from "../../verify/http";
import { TOKEN_RETRIES } from "../../verify/imds";
import { getRetryAfterMs, withRetries, type RetryTable } from "../../verify/retry";

const answer = (status: number, headers: Record<string, string> = {}, json?: unknown) =>
  ({
    kind: "answer",
    status,
    header: (name) => headers[name],
    json,
    clockSkewMs: undefined,
  }) satisfies HttpOutcome;
const failure = (reason: HttpFailure["reason"]) =>
  ({ kind: "failure", reason, systemCode: undefined }) satisfies HttpOutcome;
const timeout = failure("timeout");
const refusedConnection = {
  kind: "failure",
  reason: "unreachable",
  systemCode: "ECONNREFUSED",
} satisfies HttpOutcome;

/**
 * Runs the loop on a clock that jumps; returns when each attempt began, in seconds.
 * @param callSeconds how long each attempt takes
 */
async function getAttempts(
  table: RetryTable,
  outcome: HttpOutcome,
  waitSeconds: number,
  callSeconds = 0,
) {
  let nowMs = 5_000;
  const startMs = nowMs;
  const attempts: number[] = [];
  await withRetries(
    () => {
      attempts.push((nowMs - startMs) / 1_000);
      nowMs += callSeconds * 1_000;
      return Promise.resolve(outcome);
    },
    table,
    {
      clock: {
        now: () => nowMs,
        sleep: (ms) => {
          nowMs += ms;
          return Promise.resolve();
        },
      },
      deadlineMs: startMs + waitSeconds * 1_000,
      onWait: () => undefined,
      signal: new AbortController().signal,
    },
  );
  return attempts;
}

const TEN_MINUTES = 600;
const identityNotFound = answer(400, {}, { error: "invalid_request" });
const accessDenied = answer(403, {}, { error: { code: "AuthorizationFailed" } });

describe("the token request", () => {
  it.each([
    ["404", answer(404)],
    ["429", answer(429)],
    ["500", answer(500)],
    ["504", answer(504)],
    ["a timeout", timeout],
  ])("is made for half a minute with backoff on %s", async (_name, outcome) => {
    expect(await getAttempts(TOKEN_RETRIES, outcome, TEN_MINUTES)).toEqual([0, 1, 3, 7, 15, 30]);
  });

  it("is made for 70 seconds on 410", async () => {
    const attempts = await getAttempts(TOKEN_RETRIES, answer(410), TEN_MINUTES);
    expect(attempts).toEqual([0, 1, 3, 7, 15, 25, 35, 45, 55, 65, 70]);
  });

  it("is made for half a minute while the identity is unknown", async () => {
    const attempts = await getAttempts(TOKEN_RETRIES, identityNotFound, TEN_MINUTES);
    expect(attempts).toEqual([0, 1, 3, 7, 12, 17, 22, 27, 30]);
  });

  it("is made twice where no connection comes about, which takes three seconds each", async () => {
    const attempts = await getAttempts(TOKEN_RETRIES, failure("connect-timeout"), TEN_MINUTES, 3);
    expect(attempts).toEqual([0, 4]);
  });

  it.each([
    ["400", answer(400)],
    ["401", answer(401)],
    ["403", answer(403)],
    ["405", answer(405)],
    ["408", answer(408)],
    ["302", answer(302)],
    ["200", answer(200)],
    ["a refused connection", refusedConnection],
  ])("is made once on %s", async (_name, outcome) => {
    expect(await getAttempts(TOKEN_RETRIES, outcome, TEN_MINUTES)).toEqual([0]);
  });
});

describe("the resource group request", () => {
  it("is made on 403 until the time is up, at least every 15 seconds", async () => {
    const attempts = await getAttempts(RESOURCE_GROUP_RETRIES, accessDenied, TEN_MINUTES);
    expect(attempts.slice(0, 6)).toEqual([0, 1, 3, 7, 15, 30]);
    expect(attempts.at(-1)).toBe(TEN_MINUTES);
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(Math.max(...pauses)).toBe(15);
  });

  it.each([
    ["401", answer(401)],
    ["404", answer(404)],
    ["a 403 that is not ARM's", answer(403)],
  ])("is made once on %s", async (_name, outcome) => {
    expect(await getAttempts(RESOURCE_GROUP_RETRIES, outcome, TEN_MINUTES)).toEqual([0]);
  });
});

describe("any other request to ARM", () => {
  it.each([
    ["408", answer(408)],
    ["429", answer(429)],
    ["503", answer(503)],
    ["a timeout", timeout],
    ["a cut connection", failure("reset")],
  ])("is made for half a minute with backoff on %s", async (_name, outcome) => {
    expect(await getAttempts(ARM_RETRIES, outcome, TEN_MINUTES)).toEqual([0, 1, 3, 7, 15, 30]);
  });

  it.each([
    ["403", accessDenied],
    ["410", answer(410)],
    ["a failed handshake", failure("tls")],
  ])("is made once on %s", async (_name, outcome) => {
    expect(await getAttempts(ARM_RETRIES, outcome, TEN_MINUTES)).toEqual([0]);
  });
});

describe("waiting that is ended", () => {
  const run = async (outcomes: HttpOutcome[], abortAt: "call" | "pause") => {
    const interrupted = new AbortController();
    let calls = 0;
    const outcome = await withRetries(
      () => {
        const next = outcomes[Math.min(calls, outcomes.length - 1)] ?? timeout;
        calls += 1;
        return Promise.resolve(next);
      },
      TOKEN_RETRIES,
      {
        clock: {
          now: () => 0,
          sleep: () => {
            if (abortAt === "pause") interrupted.abort();
            return Promise.resolve();
          },
        },
        deadlineMs: 1_000,
        onWait: () => undefined,
        signal: interrupted.signal,
      },
    );
    return { outcome, calls };
  };

  it("gives what is known by then", async () => {
    const known = answer(404);
    expect(await run([known], "pause")).toEqual({ outcome: known, calls: 1 });
    expect(await run([known, failure("cancelled")], "call")).toEqual({ outcome: known, calls: 2 });
  });

  it("gives that it was ended when nothing is known", async () => {
    const cancelled = failure("cancelled");
    expect(await run([cancelled], "call")).toEqual({ outcome: cancelled, calls: 1 });
  });
});

describe("the wait that the user allows", () => {
  it.each([
    [0, [0]],
    [2, [0, 1, 2]],
    [10, [0, 1, 3, 7, 10]],
  ])("of %d s bounds the retries", async (waitSeconds, attempts) => {
    expect(await getAttempts(TOKEN_RETRIES, answer(500), waitSeconds)).toEqual(attempts);
  });
});

describe("Retry-After", () => {
  it.each([
    [
      "is kept to, five times at most",
      answer(429, { "retry-after": "40" }),
      [0, 40, 80, 120, 160, 200],
    ],
    ["is never less than a second", answer(429, { "retry-after": "0" }), [0, 1, 2, 3, 4, 5]],
    ["counts on 503, too", answer(503, { "retry-after": "7" }), [0, 7, 14, 21, 28, 35]],
    ["does not count on 404", answer(404, { "retry-after": "40" }), [0, 1, 3, 7, 15, 30]],
    ["ends it when it asks for more than is allowed", answer(429, { "retry-after": "601" }), [0]],
    [
      "is passed over when it can't be read",
      answer(429, { "retry-after": "soon" }),
      [0, 1, 3, 7, 15, 30],
    ],
  ])("%s", async (_name, outcome, attempts) => {
    expect(await getAttempts(TOKEN_RETRIES, outcome, TEN_MINUTES)).toEqual(attempts);
  });

  const now = Date.parse("Wed, 21 Oct 2015 07:28:00 GMT");
  it.each([
    [{ "retry-after": "12" }, 12_000],
    [{ "retry-after": " 0 " }, 0],
    [{ "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT" }, 30_000],
    [{ "retry-after": "Wed, 21 Oct 2015 07:27:00 GMT" }, 0],
    // The server's clock is an hour ahead of ours: its own date counts.
    [
      {
        "retry-after": "Wed, 21 Oct 2015 08:28:05 GMT",
        date: "Wed, 21 Oct 2015 08:28:00 GMT",
      },
      5_000,
    ],
    [{ "retry-after": "" }, undefined],
    [{}, undefined],
  ])("%j asks for %j ms", (headers: Record<string, string | undefined>, expected) => {
    expect(getRetryAfterMs((name) => headers[name], now)).toBe(expected);
  });
});
