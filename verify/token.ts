import { isObject } from "./json";

/** What an access token says about its holder; for diagnosis only, the signature is not checked. */
export interface TokenClaims {
  /** `aud`: the service the token is for. */
  audience?: string;
  /** `appid`: the identity's client id. */
  clientId?: string;
  /** `oid`: the identity's principal id, the one role assignments refer to. */
  principalId?: string;
  /** `tid`: the tenant that issued the token. */
  tenantId?: string;
  /** `xms_mirid`: resource id of the user-assigned identity, or of the VM for a system-assigned one. */
  identityResourceId?: string;
  /** `xms_az_rid`: resource id of the VM that the token was given to. */
  vmResourceId?: string;
  /** `iat`: when it was issued. */
  issuedOn?: Date;
  /** `nbf`: start of validity. */
  notBefore?: Date;
  /** `exp`: end of validity. */
  expiresOn?: Date;
}

const TEXT_CLAIMS = {
  aud: "audience",
  appid: "clientId",
  oid: "principalId",
  tid: "tenantId",
  xms_mirid: "identityResourceId",
  xms_az_rid: "vmResourceId",
} as const;

const TIME_CLAIMS = { iat: "issuedOn", nbf: "notBefore", exp: "expiresOn" } as const;

/**
 * Decodes the claims of a token of Microsoft Entra ID ("Access tokens in the Microsoft identity platform"). A client
 * must be able to live with a token it can't read, so one that is no JWT, or lacks a claim, gives fewer fields, never
 * an error.
 */
export function readTokenClaims(token: string): TokenClaims {
  const payload = decodePayload(token);
  const claims: TokenClaims = {};
  for (const [name, field] of Object.entries(TEXT_CLAIMS)) {
    const value = payload[name];
    if (typeof value === "string" && value !== "") claims[field] = value;
  }
  for (const [name, field] of Object.entries(TIME_CLAIMS)) {
    const time = toDate(payload[name]);
    if (time) claims[field] = time;
  }
  return claims;
}

/** A point in time given in seconds since 1970, as number or digits; undefined for anything else. */
export function toDate(seconds: unknown): Date | undefined {
  const isNumeric =
    typeof seconds === "number" || (typeof seconds === "string" && /^\d+$/.test(seconds));
  const date = new Date(isNumeric ? Number(seconds) * 1_000 : NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function decodePayload(token: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(
      Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"),
    );
    return isObject(payload) ? payload : {};
  } catch {
    // The parser's message would quote the token.
    return {};
  }
}
