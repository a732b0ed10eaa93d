import type { ImdsSettings } from "./config";
import type { Asked } from "./errors";
import { get, type HttpOutcome } from "./http";
import { getTransientRule, toTransientRule, withRetries } from "./retry";
import type { RetryTable, Waiting } from "./retry";

/** IMDS answers 410 while it is updated, for at most 70 seconds. */
const UPDATE_WINDOW_MS = 70_000;

/** What IMDS was asked and what became of it. */
export interface ImdsCall {
  asked: Asked;
  outcome: HttpOutcome;
}

/**
 * Retries of any IMDS request, by "How to use managed identities for Azure resources on an Azure VM to acquire an access
 * token", section "Retry guidance": 404, 429, 5xx and timeouts with backoff, 410 for 70 seconds, no other 4xx.
 */
export const IMDS_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer") {
    if (outcome.status === 404) return toTransientRule("IMDS answers 404");
    if (outcome.status === 410) {
      const reason = "IMDS is being updated (410)";
      return { windowMs: UPDATE_WINDOW_MS, maxDelayMs: 10_000, reason };
    }
  }
  return getTransientRule("IMDS", outcome);
};

/**
 * Asks IMDS, past every proxy and with the header that keeps out requests made on behalf of others.
 * @param pathAndQuery from `/metadata` on
 */
export async function askImds(
  { imdsEndpoint, timeoutMs }: ImdsSettings,
  pathAndQuery: string,
  retries: RetryTable,
  waiting: Waiting,
): Promise<ImdsCall> {
  const url = `${imdsEndpoint}${pathAndQuery}`;
  const { signal } = waiting;
  const outcome = await withRetries(
    () => get({ url, headers: { Metadata: "true" }, proxy: "bypass", timeoutMs, signal }),
    retries,
    waiting,
  );
  return { asked: { method: "GET", url }, outcome };
}
