import { getErrorBody, toArmError } from "./arm-failures";
import type { Settings } from "./config";
import type { Asked } from "./errors";
import { get, type HttpAnswer } from "./http";
import type { AccessToken } from "./imds";
import { getTransientRule, toTransientRule, withRetries } from "./retry";
import type { RetryTable, Waiting } from "./retry";

/** What a call to ARM needs besides its path. */
export interface ArmContext {
  settings: Settings;
  token: AccessToken;
  waiting: Waiting;
}

/** An answer with status 200, and the request that it answers. */
export interface ArmAnswer {
  asked: Asked;
  answer: HttpAnswer;
}

/** Retries of any ARM request: 429, 408, 5xx, timeouts and cut connections. */
export const ARM_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer" && outcome.status === 408) {
    return toTransientRule("ARM answers 408");
  }
  return getTransientRule("ARM", outcome);
};

/** Whether ARM finds no role that allows the request: the one 403 that a role on its way can mend. */
export function isAccessDenied({ status, json }: HttpAnswer): boolean {
  return status === 403 && getErrorBody(json).code === "AuthorizationFailed";
}

/**
 * Asks Azure Resource Manager with the identity's token.
 * @param pathAndQuery from `/subscriptions` on
 * @returns the first answer that stands, if its status is 200
 * @throws VerifyError one of the codes `ARM_…`, `TOKEN_…`, `CLOCK_WRONG`, `ACCESS_DENIED`, `ACCESS_BLOCKED`, `SUBSCRIPTION_NOT_FOUND`,
 *   `RESOURCE_GROUP_NOT_FOUND`
 */
export async function askArm(
  { settings, token, waiting }: ArmContext,
  pathAndQuery: string,
  retries: RetryTable,
): Promise<ArmAnswer> {
  const { armEndpoint, armProxy, timeoutMs } = settings;
  const url = new URL(`${armEndpoint}${pathAndQuery}`).href;
  const asked: Asked = { method: "GET", url, ...(armProxy ? { proxy: armProxy } : {}) };
  const outcome = await withRetries(
    () =>
      get({
        url,
        headers: { Accept: "application/json", Authorization: `Bearer ${token.value}` },
        proxy: "environment",
        timeoutMs,
        signal: waiting.signal,
      }),
    retries,
    waiting,
  );
  if (outcome.kind === "failure" || outcome.status !== 200) {
    throw toArmError(outcome, { asked, settings, token });
  }
  return { asked, answer: outcome };
}
