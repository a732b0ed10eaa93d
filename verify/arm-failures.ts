import { isGuid } from "./checks";
import { getScope, type Settings } from "./config";
import { VerifyError, type Asked, type CameBack, type Fail } from "./errors";
import type { HttpAnswer, HttpFailure, HttpOutcome } from "./http";
import { isObject } from "./json";
import type { AccessToken } from "./imds";
import { readRetryAfter } from "./retry";
import { getClockSkewMs, KEPT_TOKEN_HINT, toClockDetails, TOLERATED_SKEW_MS } from "./token-check";

/** What to do when the answer can't be ARM's. */
export const NOT_ARM_HINT =
  "Something else answers at the address of Azure Resource Manager: a proxy or a captive portal. " +
  "Check --arm-endpoint and the proxy settings.";

/** What an ARM request was about, to explain its failure. */
export interface ArmRequest {
  asked: Asked;
  settings: Settings;
  /** The token that was sent. */
  token: AccessToken;
}

/** The diagnosis of a request to ARM that did not end with status 200, by status and error code. */
export function toArmError(outcome: HttpOutcome, request: ArmRequest): VerifyError {
  const fail: Fail = (code, details) =>
    new VerifyError(code, { ...details, asked: request.asked, cameBack: toArmCameBack(outcome) });
  return outcome.kind === "failure"
    ? toTransportError(outcome, request, fail)
    : toStatusError(outcome, request, fail);
}

function toTransportError(
  { reason, systemCode }: HttpFailure,
  { settings, token }: ArmRequest,
  fail: Fail,
): VerifyError {
  const { armEndpoint, armProxy, timeoutMs } = settings;
  const host = new URL(armEndpoint).host;
  const openNetwork = armProxy
    ? `${armProxy.variable} names the proxy ${armProxy.url}, which must let https to ${host} through.`
    : `The VM's network must let https to ${host} out: check its security group, routes, DNS and outbound gateway.`;
  switch (reason) {
    case "cancelled":
      return fail("INTERRUPTED", {
        message: `Interrupted while waiting for ${host} to answer.`,
        hint: "Run verify again.",
      });
    case "timeout":
    case "connect-timeout":
      return fail("ARM_TIMEOUT", {
        message: `${host} did not answer within ${timeoutMs / 1_000} s${armProxy ? ` through the proxy ${armProxy.url}` : ""}.`,
        hint: openNetwork,
      });
    case "tls": {
      if (armProxy?.url.startsWith("https:") && systemCode === "EPROTO") {
        return fail("ARM_PROXY_FAILED", {
          message: `The proxy ${armProxy.url} does not take TLS connections.`,
          hint: `Most proxies don't: write http:// in place of https:// in ${armProxy.variable}.`,
        });
      }
      const skewMs = getClockSkewMs(token, Date.now()) ?? 0;
      const isAboutTime = systemCode === "CERT_HAS_EXPIRED" || systemCode === "CERT_NOT_YET_VALID";
      if (isAboutTime && Math.abs(skewMs) > TOLERATED_SKEW_MS) {
        return fail("CLOCK_WRONG", toClockDetails(skewMs));
      }
      return fail("ARM_NOT_TRUSTED", {
        message: `The TLS connection to ${host} failed.`,
        hint:
          `Something between the VM and Azure opens TLS${armProxy ? `, perhaps the proxy ${armProxy.url}` : ""}. ` +
          "Name the certificate authority to trust in NODE_EXTRA_CA_CERTS.",
      });
    }
    case "too-large":
    case "not-http":
      return fail("ARM_BAD_ANSWER", {
        message: `The answer of ${host} is none that ARM gives.`,
        hint: NOT_ARM_HINT,
      });
    case "unreachable":
    case "reset":
      if (armProxy) {
        return fail("ARM_PROXY_FAILED", {
          message: `There is no connection to ${host} through the proxy ${armProxy.url}.`,
          hint: `${armProxy.variable} names this proxy. Correct it, or add ${host} to NO_PROXY to go there directly.`,
        });
      }
      return fail("ARM_UNREACHABLE", {
        message:
          reason === "reset"
            ? `The connection to ${host} was cut.`
            : `There is no connection to ${host}.`,
        hint: openNetwork,
      });
  }
}

function toStatusError(outcome: HttpAnswer, request: ArmRequest, fail: Fail): VerifyError {
  const { status } = outcome;
  const { code } = getErrorBody(outcome.json);
  const { settings } = request;
  const { subscriptionId, resourceGroup, armProxy } = settings;

  // A proxy that refuses the tunnel answers in ARM's place; only ARM sends an error code or a request id.
  const isArms = status !== 407 && (code !== undefined || !!outcome.header("x-ms-request-id"));
  if (armProxy && status >= 400 && !isArms) {
    return fail("ARM_PROXY_FAILED", {
      message: `The proxy ${armProxy.url} answered ${status} in place of ARM.`,
      hint: `${armProxy.variable} names this proxy. Correct it, or add the ARM host to NO_PROXY.`,
    });
  }
  // What passes by itself is told as such, whoever answered.
  const isPassing = status === 408 || status === 429 || status >= 500;
  if (status >= 400 && !isPassing && !isArms) {
    return fail("ARM_BAD_ANSWER", {
      message: `The request was answered with status ${status}, but not by ARM.`,
      hint: NOT_ARM_HINT,
    });
  }
  if (status === 401) return toUnauthorizedError(code, request, fail);
  if (status === 403 && code !== "AuthorizationFailed") {
    return fail("ACCESS_BLOCKED", {
      message: `ARM denies access for another reason than a missing role${code ? ` (${code})` : ""}.`,
      hint: "The service's own message says why: a deny assignment, a policy, or rules of the network. A role does not help.",
      commands: [`az role assignment list --all --subscription "${subscriptionId}" --output table`],
    });
  }
  if (status === 403) {
    return fail("ACCESS_DENIED", {
      message: "ARM denies access.",
      hint: "The identity has no role that allows this, or none that works yet.",
      commands: toRoleCommands(request),
    });
  }
  if (status === 404 && code === "SubscriptionNotFound") {
    return fail("SUBSCRIPTION_NOT_FOUND", {
      message: `There is no subscription ${subscriptionId}, or not in the identity's tenant.`,
      hint: "Check the subscription id.",
      commands: ["az account list --output table"],
    });
  }
  if (status === 404 && code === "ResourceGroupNotFound") {
    return fail("RESOURCE_GROUP_NOT_FOUND", {
      message: `There is no resource group ${resourceGroup} in subscription ${subscriptionId}.`,
      hint: "Check the name of the group and the subscription id.",
      commands: [`az group list --subscription "${subscriptionId}" --output table`],
    });
  }
  if (status === 429) {
    return fail("ARM_THROTTLED", {
      message: "ARM is throttling (429).",
      hint: "The identity or the subscription makes too many requests. Run verify again later, with a longer --wait.",
    });
  }
  if (status === 408 || status >= 500) {
    return fail("ARM_UNAVAILABLE", {
      message: `ARM answered ${status}.`,
      hint: "Run verify again later, and look at https://azure.status.microsoft.",
    });
  }
  if (status >= 400) {
    return fail("ARM_REFUSED", {
      message: `ARM refused the request (${status}).`,
      hint: "The service's own message says why. Check the settings and the ARM endpoint.",
    });
  }
  return fail("ARM_BAD_ANSWER", {
    message: `The request was answered with status ${status}, which ARM never does here.`,
    hint: NOT_ARM_HINT,
  });
}

function toUnauthorizedError(
  code: string | undefined,
  { settings, token }: ArmRequest,
  fail: Fail,
): VerifyError {
  switch (code) {
    case "ExpiredAuthenticationToken":
      return fail("TOKEN_EXPIRED", {
        message: "ARM holds the token for expired.",
        hint: isOver(token)
          ? "It was valid when IMDS gave it out, and expired while verify waited. Run verify again."
          : KEPT_TOKEN_HINT,
      });
    case "InvalidAuthenticationTokenTenant":
      return fail("TOKEN_WRONG_TENANT", {
        message: "The subscription belongs to another tenant than the identity.",
        hint:
          `The token is from tenant ${token.claims.tenantId ?? "(unknown)"}. Check the subscription id. If the subscription moved ` +
          "to another tenant, its identities must be created anew.",
        commands: [`az account show --subscription "${settings.subscriptionId}" --query tenantId`],
      });
    case "InvalidAuthenticationTokenAudience":
      return fail("TOKEN_WRONG_AUDIENCE", {
        message: "The token is not meant for this ARM endpoint.",
        hint: `The token was asked for ${settings.armEndpoint}/. Check --arm-endpoint.`,
        commands: ["az cloud show --query endpoints.resourceManager"],
      });
    default:
      return fail("TOKEN_REFUSED", {
        message: "ARM does not accept the token.",
        hint: "Run verify again. If it stays, give the request ids to Azure support.",
      });
  }
}

function isOver(token: AccessToken): boolean {
  const now = Date.now();
  const trueMs = now - (getClockSkewMs(token, now) ?? 0);
  return (token.claims.expiresOn?.getTime() ?? Infinity) <= trueMs;
}

/** The commands that show the identity's roles on the group, and give it Reader there. */
export function toRoleCommands({
  settings,
  token,
}: Pick<ArmRequest, "settings" | "token">): [list: string, create: string] {
  const scope = getScope(settings);
  const { principalId = "" } = token.claims;
  // What a token says is not put into a command unseen.
  const principal = isGuid(principalId) ? principalId : "<principal id>";
  return [
    `az role assignment list --assignee "${principal}" --scope "${scope}" --include-inherited --output table`,
    `az role assignment create --assignee-object-id "${principal}" --assignee-principal-type ServicePrincipal ` +
      `--role Reader --scope "${scope}"`,
  ];
}

/** ARM's error body, `{"error":{"code","message"}}`; the fields are absent when it is none. */
export function getErrorBody(json: unknown): { code?: string; message?: string } {
  const error = isObject(json) ? json.error : undefined;
  if (!isObject(error)) return {};
  const { code, message } = error;
  return {
    ...(typeof code === "string" && code ? { code } : {}),
    ...(typeof message === "string" && message ? { message } : {}),
  };
}

/** What to show of an outcome. */
export function toArmCameBack(outcome: HttpOutcome): CameBack {
  if (outcome.kind === "failure") return outcome.systemCode ? { code: outcome.systemCode } : {};
  const cameBack: CameBack = {
    status: outcome.status,
    ...getErrorBody(outcome.json),
    ...readRetryAfter(outcome),
  };
  const requestId = outcome.header("x-ms-request-id");
  const correlationId = outcome.header("x-ms-correlation-request-id");
  const server = outcome.header("server");
  if (requestId) cameBack.requestId = requestId;
  if (correlationId) cameBack.correlationId = correlationId;
  if (server) cameBack.server = server;
  return cameBack;
}
