import type { Settings } from "./config";
import { VerifyError, type Asked } from "./errors";
import { get } from "./http";
import { isIdentityUnknown, NOT_IMDS_HINT, toImdsCameBack, toImdsError } from "./imds-failures";
import {
  getTransientRule,
  toTransientRule,
  withRetries,
  type RetryTable,
  type Waiting,
} from "./retry";
import { readTokenClaims, toDate, type TokenClaims } from "./token";
import { isObject } from "./json";

/** A token for Azure Resource Manager, and what it says about its holder. */
export interface AccessToken {
  /** The token itself: never print, log or store it. */
  value: string;
  claims: TokenClaims;
}

/** IMDS answers 410 while it is updated, for at most 70 seconds. */
const UPDATE_WINDOW_MS = 70_000;
/** An identity attached moments ago may be unknown to IMDS for a while; the length is our choice, not documented. */
const NEW_IDENTITY_WINDOW_MS = 30_000;

/**
 * Retries of the token request, by "How to use managed identities for Azure resources on an Azure VM to acquire an
 * access token", section "Retry guidance": 404, 429, 5xx and timeouts with backoff, 410 for 70 seconds, no other 4xx.
 * One addition of ours: 400 `invalid_request`, which is how an identity attached moments ago is answered.
 */
export const TOKEN_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer") {
    if (outcome.status === 404) return toTransientRule("IMDS answers 404");
    if (outcome.status === 410) {
      const reason = "IMDS is being updated (410)";
      return { windowMs: UPDATE_WINDOW_MS, maxDelayMs: 10_000, reason };
    }
    if (isIdentityUnknown(outcome)) {
      const reason = "IMDS does not know the identity, or not yet";
      return { windowMs: NEW_IDENTITY_WINDOW_MS, maxDelayMs: 5_000, reason };
    }
  }
  return getTransientRule("IMDS", outcome);
};

/**
 * Step 4 of the tutorial: asks IMDS for a token of the identity with the given client id, for Azure Resource Manager.
 * @param keepSecret told the token before anything else is done with it, so that it can be kept out of all output
 * @throws VerifyError one of the `IMDS_…` codes, `IDENTITY_NOT_ATTACHED`, `AUDIENCE_UNKNOWN`, or `WRONG_IDENTITY` when
 *   the token is another identity's
 */
export async function getToken(
  settings: Settings,
  waiting: Waiting,
  keepSecret: (secret: string) => void,
): Promise<AccessToken> {
  const query = new URLSearchParams({
    "api-version": "2018-02-01",
    resource: `${settings.armEndpoint}/`,
    client_id: settings.clientId,
  });
  const url = `${settings.imdsEndpoint}/metadata/identity/oauth2/token?${query.toString()}`;
  const asked: Asked = { method: "GET", url };

  const outcome = await withRetries(
    () =>
      get({ url, headers: { Metadata: "true" }, proxy: "bypass", timeoutMs: settings.timeoutMs }),
    TOKEN_RETRIES,
    waiting,
  );
  if (outcome.kind === "failure" || outcome.status !== 200)
    throw toImdsError(outcome, asked, settings);

  const answer = readTokenAnswer(outcome.json);
  if (!answer) {
    throw new VerifyError("IMDS_BAD_ANSWER", {
      message: "The answer to the token request is not a token answer of IMDS.",
      hint: NOT_IMDS_HINT,
      asked,
      cameBack: toImdsCameBack(outcome),
    });
  }
  keepSecret(answer.token);
  const claims = readTokenClaims(answer.token);
  // IMDS names the client id next to the token, so it is known even if the token can't be read.
  claims.clientId ??= answer.clientId;
  claims.expiresOn ??= answer.expiresOn;
  if (claims.clientId && claims.clientId.toLowerCase() !== settings.clientId.toLowerCase()) {
    throw new VerifyError("WRONG_IDENTITY", {
      message: `The token belongs to the identity with client id ${claims.clientId}.`,
      hint:
        `A token for ${settings.clientId} was asked for. Another program answers in IMDS' place, or the ` +
        "identity was recreated: its client id is a new one then.",
      commands: ["az identity list --output table"],
      asked,
      cameBack: toImdsCameBack(outcome),
    });
  }
  return { value: answer.token, claims };
}

interface TokenAnswer {
  token: string;
  clientId: string | undefined;
  expiresOn: Date | undefined;
}

/** All fields of the answer are strings; the token type decides how the token is used. */
function readTokenAnswer(json: unknown): TokenAnswer | undefined {
  if (!isObject(json)) return undefined;
  const { access_token: token, token_type: type, client_id: clientId } = json;
  // Visible ASCII only: anything else can't stand in a header and is no token.
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) return undefined;
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") return undefined;
  return {
    token,
    clientId: typeof clientId === "string" && clientId !== "" ? clientId : undefined,
    expiresOn: toDate(json.expires_on),
  };
}
