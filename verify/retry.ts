import { setTimeout as sleep } from "node:timers/promises";
import type { HttpAnswer, HttpOutcome } from "./http";

/** How long one kind of outcome is worth waiting for. */
export interface RetryRule {
  /** No retry starts later than this many milliseconds after the first attempt. */
  windowMs: number;
  /** The longest pause between two attempts, in milliseconds. */
  maxDelayMs: number;
  /** What is being waited for, for the progress line. */
  reason: string;
}

/** Says which outcomes are tried again, and for how long; undefined: the outcome stands. */
export type RetryTable = (outcome: HttpOutcome) => RetryRule | undefined;

/** Time as the retry loop sees it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds on a clock that only goes forward. */
  now: () => number;
  /** Ends when the time is over or the signal is aborted; never fails. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What a retry loop needs of its surroundings. */
export interface Waiting {
  clock: Clock;
  /** On {@link Clock.now}: no retry of any call starts later. */
  deadlineMs: number;
  /** Told before each pause. */
  onWait: (reason: string, delayMs: number) => void;
  /** Once aborted, nothing is waited for any more. */
  signal: AbortSignal;
}

/** A wait that allows no retry: for calls that only explain a failure. */
export function withoutRetries(waiting: Waiting): Waiting {
  return { ...waiting, deadlineMs: -Infinity };
}

/** The real time. Node loads much for `performance`, and nothing for this. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Number(process.hrtime.bigint()) / 1e6,
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  },
};

const FIRST_DELAY_MS = 1_000;

/** A service that keeps asking for a retry is believed this often. */
const MAX_ASKED_RETRIES = 5;

/** Covers Microsoft's advice for IMDS of five attempts at about 0, 2, 6, 14 and 30 seconds. */
const TRANSIENT_WINDOW_MS = 30_000;

/** A network that is still coming up takes a moment; off Azure, nothing will ever answer. */
const CONNECT_WINDOW_MS = 6_000;

/**
 * The rule for outcomes that pass by themselves whatever the service: 429, 5xx, timeouts and cut connections; undefined
 * for all others.
 * @param service the name to use in the progress line
 */
export function getTransientRule(service: string, outcome: HttpOutcome): RetryRule | undefined {
  if (outcome.kind === "failure") {
    switch (outcome.reason) {
      case "timeout":
        return toTransientRule(`${service} does not answer`);
      case "reset":
        return toTransientRule(`${service} cut the connection`);
      case "connect-timeout":
        return { ...toTransientRule(`no connection to ${service}`), windowMs: CONNECT_WINDOW_MS };
      default:
        return undefined;
    }
  }
  const { status } = outcome;
  if (status === 429) return toTransientRule(`${service} is throttling (429)`);
  if (status >= 500) return toTransientRule(`${service} answers ${status}`);
  return undefined;
}

/** The rule for an outcome that passes by itself within half a minute. */
export function toTransientRule(reason: string): RetryRule {
  return { windowMs: TRANSIENT_WINDOW_MS, maxDelayMs: 16_000, reason };
}

/**
 * The wait that a `Retry-After` header asks for, in milliseconds; undefined without one that can be read.
 * Both forms of RFC 9110, section 10.2.3: seconds, and a date, which is measured against the answer's own `Date` so
 * that a wrong clock on this machine does no harm.
 */
export function getRetryAfterMs(
  header: (name: string) => string | undefined,
  wallClockMs: number,
): number | undefined {
  const value = header("retry-after")?.trim();
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const until = Date.parse(value);
  if (Number.isNaN(until)) return undefined;
  const answeredAt = Date.parse(header("date") ?? "");
  return Math.max(0, until - (Number.isNaN(answeredAt) ? wallClockMs : answeredAt));
}

/**
 * Makes a call until its outcome stands, or the waiting is ended: pauses double from one second, the last one is cut so that the final attempt
 * comes at the very end of the window. A `Retry-After` on 429 and 5xx is kept to exactly; if it asks for more time than
 * the deadline leaves, the outcome stands at once.
 */
export async function withRetries(
  call: () => Promise<HttpOutcome>,
  table: RetryTable,
  { clock, deadlineMs, onWait, signal }: Waiting,
): Promise<HttpOutcome> {
  const startMs = clock.now();
  let nextDelayMs = FIRST_DELAY_MS;
  let askedRetries = 0;
  let last: HttpOutcome | undefined;
  for (;;) {
    const outcome = await call();
    // What was known before the call was ended says more.
    if (outcome.kind === "failure" && outcome.reason === "cancelled") return last ?? outcome;
    const rule = table(outcome);
    if (!rule) return outcome;
    last = outcome;

    const nowMs = clock.now();
    const askedMs = getAskedDelayMs(outcome);
    let delayMs: number;
    if (askedMs === undefined) {
      const leftMs = Math.min(startMs + rule.windowMs, deadlineMs) - nowMs;
      if (leftMs <= 0) return outcome;
      delayMs = Math.min(nextDelayMs, rule.maxDelayMs, leftMs);
      nextDelayMs *= 2;
    } else {
      askedRetries += 1;
      if (nowMs + askedMs >= deadlineMs || askedRetries > MAX_ASKED_RETRIES) return outcome;
      delayMs = askedMs;
    }
    onWait(rule.reason, delayMs);
    await clock.sleep(delayMs, signal);
    if (signal.aborted) return outcome;
  }
}

/** Never less than a second, as Microsoft's guidance for IMDS has it. */
function getAskedDelayMs(outcome: HttpOutcome): number | undefined {
  if (outcome.kind === "failure") return undefined;
  if (outcome.status !== 429 && outcome.status < 500) return undefined;
  const askedMs = getRetryAfterMs(outcome.header, Date.now());
  return askedMs === undefined ? undefined : Math.max(FIRST_DELAY_MS, askedMs);
}

/** The `Retry-After` of an answer as a report shows it; nothing without one. */
export function readRetryAfter({ header }: HttpAnswer): { retryAfterSeconds?: number } {
  const askedMs = getRetryAfterMs(header, Date.now());
  return askedMs === undefined ? {} : { retryAfterSeconds: Math.round(askedMs / 1_000) };
}
