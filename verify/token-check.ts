import { isSameText } from "./checks";
import { CLOUDS } from "./clouds";
import type { TokenSettings } from "./config";
import { VerifyError, type Fail, type FailureDetails } from "./errors";
import type { AccessToken } from "./imds";

/** Clocks may differ by as much without harm: what Microsoft Entra ID allows for when it issues a token. */
export const TOLERATED_SKEW_MS = 5 * 60_000;

/** What to do about an expired token: nobody but IMDS can renew it. */
export const KEPT_TOKEN_HINT =
  "IMDS keeps tokens for up to 24 hours, and renews them by itself before they expire. Run verify again; " +
  "if it goes on, Azure support has to look at the VM's host.";

/**
 * Diagnoses a token by its claims, before it is sent anywhere: is it that identity's, for this Azure Resource Manager,
 * and still valid? A claim that is absent is not held against the token.
 * @param nowMs the time on this machine, in milliseconds since 1970
 * @returns warnings
 * @throws VerifyError `WRONG_IDENTITY`, `TOKEN_WRONG_AUDIENCE` or `TOKEN_EXPIRED`
 */
export function checkToken(
  token: AccessToken,
  settings: TokenSettings,
  nowMs: number,
): VerifyError[] {
  const { claims, asked, cameBack } = token;
  const fail: Fail = (code, details) => new VerifyError(code, { ...details, asked, cameBack });

  if (claims.clientId && !isSameText(claims.clientId, settings.clientId)) {
    const isVms = /\/providers\/Microsoft\.Compute\//i.test(claims.identityResourceId ?? "");
    throw fail("WRONG_IDENTITY", {
      message: `The token belongs to the identity with client id ${claims.clientId}, not ${settings.clientId}.`,
      hint: "IMDS gives the identity that it is asked for: something between verify and IMDS changed the request.",
      causes: [
        ...(isVms
          ? [
              {
                code: "SYSTEM_ASSIGNED_IDENTITY" as const,
                meaning:
                  "It is the VM's system-assigned identity, perhaps added by a policy: IMDS prefers it when the request " +
                  "names no identity.",
                commands: [
                  `az vm identity show --ids "${claims.identityResourceId ?? "<VM's resource id>"}"`,
                ],
              },
            ]
          : []),
        {
          code: "SOMETHING_ELSE_ANSWERS",
          meaning: "Another program answers in IMDS' place, and hands out tokens of its own.",
          commands: ["az identity list --output table"],
        },
      ],
    });
  }
  if (claims.audience && !listAudiences(settings.armEndpoint).some(isAudience(claims.audience))) {
    throw fail("TOKEN_WRONG_AUDIENCE", {
      message: `The token is for ${claims.audience}, not for ${settings.armEndpoint}/.`,
      hint:
        "It is not sent there. Something other than IMDS answered, or IMDS gave out a token for another service. " +
        "Check --imds-endpoint and --arm-endpoint.",
    });
  }
  const skewMs = getClockSkewMs(token, nowMs);
  // Without the true time, it is left to ARM to say what is expired.
  const trueMs = skewMs === undefined ? -Infinity : nowMs - skewMs;
  if (claims.expiresOn && claims.expiresOn.getTime() <= trueMs - TOLERATED_SKEW_MS) {
    throw fail("TOKEN_EXPIRED", {
      message: `IMDS gave out a token that expired at ${claims.expiresOn.toISOString()}.`,
      hint: KEPT_TOKEN_HINT,
    });
  }
  return skewMs !== undefined && Math.abs(skewMs) > TOLERATED_SKEW_MS
    ? [fail("CLOCK_WRONG", toClockDetails(skewMs))]
    : [];
}

/**
 * How far this machine's clock is ahead, in milliseconds: by the time that IMDS told, else by a token that is not valid
 * yet; undefined when neither tells.
 */
export function getClockSkewMs(
  { clockSkewMs, claims }: AccessToken,
  nowMs: number,
): number | undefined {
  if (clockSkewMs !== undefined) return clockSkewMs;
  const notYetMs = nowMs - (claims.notBefore?.getTime() ?? -Infinity);
  return notYetMs < 0 ? notYetMs : undefined;
}

/** What to say of a clock that is wrong by so many milliseconds. */
export function toClockDetails(skewMs: number): FailureDetails {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return {
    message: `This machine's clock is ${minutes} minutes ${skewMs > 0 ? "ahead" : "behind"}.`,
    hint: "Certificates then look expired or not valid yet, and clients keep tokens for too long. Set the clock.",
    commands: ["w32tm /query /status", "w32tm /resync"],
  };
}

/** What the audience claim of a token for that endpoint may be, no trailing slash. */
function listAudiences(armEndpoint: string): string[] {
  const cloud = CLOUDS.find((one) => one.armEndpoint === armEndpoint);
  return cloud ? [armEndpoint, cloud.olderAudience] : [armEndpoint];
}

function isAudience(claim: string): (audience: string) => boolean {
  return (audience) => isSameText(claim.replace(/\/$/, ""), audience);
}
