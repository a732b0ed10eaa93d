import type { TokenSettings } from "./config";
import { VerifyError, type CameBack } from "./errors";
import { isIdentityUnknown, toTokenError } from "./identity-failures";
import { NOT_IMDS_HINT, toImdsCameBack } from "./imds-failures";
import { askImds, IMDS_RETRIES } from "./imds-request";
import type { Instance } from "./instance";
import { isObject } from "./json";
import type { RetryTable, Waiting } from "./retry";
import { readTokenClaims, toDate, type TokenClaims } from "./token";

/** A token for Azure Resource Manager, and what it says about its holder. */
export interface AccessToken {
  /** The token itself: never print, log or store it. */
  value: string;
  claims: TokenClaims;
  /** Where it came from, to explain a wrong token. */
  asked: { method: "GET"; url: string };
  cameBack: CameBack;
  /** This machine's clock less that of IMDS, in milliseconds, when IMDS told the time. */
  clockSkewMs: number | undefined;
}

/** An identity attached moments ago may be unknown to IMDS for a while; the length is our choice, not documented. */
const NEW_IDENTITY_WINDOW_MS = 30_000;

/**
 * Retries of the token request: those of {@link IMDS_RETRIES}, and one addition of ours: 400 `invalid_request`, which is
 * how an identity attached moments ago is answered.
 */
export const TOKEN_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer" && isIdentityUnknown(outcome)) {
    const reason = "IMDS does not know the identity, or not yet";
    return { windowMs: NEW_IDENTITY_WINDOW_MS, maxDelayMs: 5_000, reason };
  }
  return IMDS_RETRIES(outcome);
};

/**
 * Step 4 of the tutorial: asks IMDS for a token of the identity with the given client id, for Azure Resource Manager.
 * @param describeVm asked when the VM does not know the identity, to say what it does know; undefined if it can't tell
 * @param keepSecret told the token before anything else is done with it, so that it can be kept out of all output
 * @throws VerifyError one of the `IMDS_…` codes, `IDENTITY_NOT_ATTACHED`, `CLIENT_ID_OUTDATED`, `AUDIENCE_UNKNOWN`
 */
export async function getToken(
  settings: TokenSettings,
  waiting: Waiting,
  describeVm: () => Promise<Instance | undefined>,
  keepSecret: (secret: string) => void,
): Promise<AccessToken> {
  const query = new URLSearchParams({
    "api-version": "2018-02-01",
    resource: `${settings.armEndpoint}/`,
    client_id: settings.clientId,
  });
  const { asked, outcome } = await askImds(
    settings,
    `/metadata/identity/oauth2/token?${query.toString()}`,
    TOKEN_RETRIES,
    waiting,
  );
  if (outcome.kind === "failure" || outcome.status !== 200) {
    throw await toTokenError(outcome, asked, settings, describeVm);
  }

  const answer = readTokenAnswer(outcome.json);
  const cameBack = toImdsCameBack(outcome);
  if (!answer) {
    throw new VerifyError("IMDS_BAD_ANSWER", {
      message: "The answer to the token request is not a token answer of IMDS.",
      hint: NOT_IMDS_HINT,
      asked,
      cameBack,
    });
  }
  keepSecret(answer.token);
  const claims = readTokenClaims(answer.token);
  // IMDS names these next to the token, so they are known even if the token can't be read.
  claims.clientId ??= answer.clientId;
  claims.expiresOn ??= answer.expiresOn;
  return { value: answer.token, claims, asked, cameBack, clockSkewMs: outcome.clockSkewMs };
}

/** The parts of IMDS' token answer that verify uses. */
export interface TokenAnswer {
  token: string;
  clientId: string | undefined;
  expiresOn: Date | undefined;
}

/** The wire form, in which every field is a string; undefined if it is none. The token type decides how the token is used. */
export function readTokenAnswer(json: unknown): TokenAnswer | undefined {
  if (!isObject(json)) return undefined;
  const { access_token: token, token_type: type, client_id: clientId } = json;
  // By RFC 6750, section 2.1. A text too short to be a token could not be kept out of the output either.
  if (typeof token !== "string" || !/^[\w.~+/-]{20,}=*$/.test(token)) return undefined;
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") return undefined;
  return {
    token,
    clientId: typeof clientId === "string" && clientId !== "" ? clientId : undefined,
    expiresOn: toDate(json.expires_on),
  };
}
