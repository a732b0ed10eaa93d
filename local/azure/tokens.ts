import { randomUUID } from "node:crypto";

import { errors, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { calculateJwkThumbprint } from "jose";

import { AzureError } from "./errors";
import type { Principal } from "./state";

/** How long a token of a managed identity is valid: 24 h and the 5 min its start is set back. */
const TOKEN_LIFETIME_SECONDS = 86_400;
const CLOCK_SKEW_SECONDS = 300;

/** Audiences that Azure Resource Manager accepts besides its own endpoint, without trailing slash. */
const PUBLIC_ARM_AUDIENCES = [
  "https://management.azure.com",
  "https://management.core.windows.net",
] as const;

/** Other resources of the public cloud that the directory issues tokens for. */
const OTHER_AUDIENCES = [
  "https://graph.microsoft.com",
  "https://storage.azure.com",
  "https://vault.azure.net",
] as const;

/** A signed access token and its times, in seconds since the epoch. */
export interface AccessToken {
  token: string;
  notBefore: number;
  expiresOn: number;
}

/** What a token says besides its principal and audience. All optional; the defaults are Azure's. */
export interface TokenOptions {
  /** Further claims, such as `xms_az_rid`. */
  claims?: Readonly<Record<string, string>>;
  /** Who issues it; another tenant gives a token that ARM refuses. Default this tenant's issuer. */
  issuer?: string;
  /** Seconds from now to its end; negative gives an expired token. Default 24 h. */
  lifetimeSeconds?: number;
}

/** Who a verified token speaks for. */
export interface Caller {
  /** Object id of the principal. */
  objectId: string;
  /** Application (client) id. */
  appId: string;
}

/** The directory's token service: issues signed tokens and checks them as ARM does. */
export interface TokenService {
  /** True when the directory knows a resource by that URI, with or without a trailing slash. */
  isKnownAudience(resource: string): boolean;
  issue(principal: Principal, audience: string, options?: TokenOptions): Promise<AccessToken>;
  /**
   * Checks an Authorization header as Azure Resource Manager does.
   * @throws AzureError 401 with one of Azure's codes: AuthenticationFailed,
   * AuthenticationFailedInvalidHeader, InvalidAuthenticationToken, ExpiredAuthenticationToken,
   * InvalidAuthenticationTokenAudience, InvalidAuthenticationTokenTenant.
   */
  verify(authorization: string | undefined): Promise<Caller>;
}

/**
 * A token service for one tenant with a signing key of its own. `getArmEndpoint` gives ARM's own
 * URL, which is an audience too and known only once its server listens.
 *
 * Claims: "Access token claims reference",
 * https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference.
 */
export async function createTokenService(
  tenantId: string,
  getArmEndpoint: () => string,
): Promise<TokenService> {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  const issuer = `https://sts.windows.net/${tenantId}/`;

  function unauthorized(code: string, message: string): AzureError {
    return new AzureError(401, code, message, {
      headers: {
        "www-authenticate": `Bearer authorization_uri="https://login.microsoftonline.com/${tenantId}", error="invalid_token", error_description="${message}"`,
      },
    });
  }

  function checkAudience(audience: unknown): void {
    const allowed = [...PUBLIC_ARM_AUDIENCES, getArmEndpoint()];
    if (typeof audience === "string" && allowed.includes(withoutSlash(audience))) return;
    throw unauthorized(
      "InvalidAuthenticationTokenAudience",
      `The access token has been obtained for wrong audience or resource '${String(audience)}'. It should exactly match with one of the allowed audiences '${allowed.map((uri) => `${uri}/`).join("','")}'.`,
    );
  }

  return {
    isKnownAudience(resource) {
      const known: string[] = [...PUBLIC_ARM_AUDIENCES, ...OTHER_AUDIENCES, getArmEndpoint()];
      return known.includes(withoutSlash(resource));
    },

    async issue(principal, audience, options = {}) {
      const now = Math.floor(Date.now() / 1000);
      const notBefore = now - CLOCK_SKEW_SECONDS;
      const expiresOn = now + (options.lifetimeSeconds ?? TOKEN_LIFETIME_SECONDS);
      const token = await new SignJWT({
        appid: principal.appId,
        appidacr: "2",
        idp: issuer,
        idtyp: principal.type === "User" ? "user" : "app",
        oid: principal.id,
        tid: tenantId,
        uti: randomUUID().replaceAll("-", "").slice(0, 22),
        ver: "1.0",
        ...(principal.resourceId === undefined ? {} : { xms_mirid: principal.resourceId }),
        ...options.claims,
      })
        .setProtectedHeader({ typ: "JWT", alg: "ES256", kid })
        .setAudience(audience)
        .setIssuer(options.issuer ?? issuer)
        .setSubject(principal.id)
        .setIssuedAt(notBefore)
        .setNotBefore(notBefore)
        .setExpirationTime(expiresOn)
        .sign(privateKey);
      return { token, notBefore, expiresOn };
    },

    async verify(authorization) {
      if (authorization === undefined || authorization === "") {
        throw unauthorized(
          "AuthenticationFailed",
          "Authentication failed. The 'Authorization' header is missing.",
        );
      }
      const [scheme, token, ...rest] = authorization.split(" ");
      if (scheme?.toLowerCase() !== "bearer" || token === undefined || rest.length > 0) {
        throw unauthorized(
          "AuthenticationFailedInvalidHeader",
          "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        );
      }
      try {
        const { payload } = await jwtVerify(token, publicKey, { issuer, clockTolerance: 0 });
        checkAudience(payload.aud);
        return { objectId: String(payload["oid"]), appId: String(payload["appid"]) };
      } catch (error) {
        if (error instanceof errors.JWTExpired) {
          const expiry = new Date((error.payload.exp ?? 0) * 1000).toISOString();
          throw unauthorized(
            "ExpiredAuthenticationToken",
            `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${new Date().toISOString()}'.`,
          );
        }
        if (error instanceof errors.JWTClaimValidationFailed && error.claim === "iss") {
          throw unauthorized(
            "InvalidAuthenticationTokenTenant",
            `The access token is from the wrong issuer '${String(error.payload.iss)}'. It must match the tenant '${issuer}' associated with this subscription. Please use the authority (URL) 'https://login.microsoftonline.com/${tenantId}' to get the token.`,
          );
        }
        if (error instanceof errors.JOSEError) {
          throw unauthorized("InvalidAuthenticationToken", "The access token is invalid.");
        }
        throw error;
      }
    },
  };
}

function withoutSlash(uri: string): string {
  return uri.endsWith("/") ? uri.slice(0, -1) : uri;
}
