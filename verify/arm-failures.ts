import type { Settings } from "./config";
import {
  VerifyError,
  type Asked,
  type CameBack,
  type FailureCode,
  type FailureDetails,
} from "./errors";
import type { HttpAnswer, HttpFailure, HttpOutcome } from "./http";
import { isObject } from "./json";
import type { TokenClaims } from "./token";

/** What to do when the answer can't be ARM's. */
export const NOT_ARM_HINT =
  "Something else answers at the address of Azure Resource Manager: a proxy or a captive portal. " +
  "Check --arm-endpoint and the proxy settings.";

/** What an ARM request was about, to explain its failure. */
export interface ArmRequest {
  asked: Asked;
  settings: Settings;
  /** Resource id of what was read: what roles are assigned on. */
  scope: string;
  /** The holder of the token that was sent. */
  claims: TokenClaims;
}

type Fail = (code: FailureCode, details: Omit<FailureDetails, "asked" | "cameBack">) => VerifyError;

/** The diagnosis of a resource group request that did not end with status 200, by status and error code. */
export function toArmError(outcome: HttpOutcome, request: ArmRequest): VerifyError {
  const fail: Fail = (code, details) =>
    new VerifyError(code, { ...details, asked: request.asked, cameBack: toArmCameBack(outcome) });
  return outcome.kind === "failure"
    ? toTransportError(outcome, request, fail)
    : toStatusError(outcome, request, fail);
}

function toTransportError(
  { reason }: HttpFailure,
  { settings }: ArmRequest,
  fail: Fail,
): VerifyError {
  const host = new URL(settings.armEndpoint).host;
  const openNetwork = `The VM's network must let https to ${host} out: check its security group, routes, DNS and outbound gateway.`;
  switch (reason) {
    case "timeout":
      return fail("ARM_TIMEOUT", {
        message: `${host} did not answer within ${settings.timeoutMs / 1_000} s.`,
        hint: openNetwork,
      });
    case "tls":
      return fail("ARM_NOT_TRUSTED", {
        message: `The TLS connection to ${host} failed.`,
        hint:
          "Something between the VM and Azure opens TLS, or the VM's clock is wrong. Name the certificate " +
          "authority to trust in NODE_EXTRA_CA_CERTS.",
      });
    case "too-large":
    case "not-http":
      return fail("ARM_BAD_ANSWER", {
        message: `The answer of ${host} is none that ARM gives.`,
        hint: NOT_ARM_HINT,
      });
    case "unreachable":
    case "reset":
      if (settings.armProxy) {
        const { variable, url } = settings.armProxy;
        return fail("ARM_PROXY_FAILED", {
          message: `There is no connection to ${host} through the proxy ${url}.`,
          hint: `${variable} names this proxy. Correct it, or add ${host} to NO_PROXY to go there directly.`,
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
  const { settings, scope, claims } = request;
  const { subscriptionId, resourceGroup, armProxy } = settings;

  // A proxy that refuses the tunnel answers in ARM's place; only ARM sends an error code or a request id.
  const isProxys = status === 407 || (!code && !outcome.header("x-ms-request-id"));
  if (armProxy && status >= 400 && isProxys) {
    return fail("ARM_PROXY_FAILED", {
      message: `The proxy ${armProxy.url} answered ${status} in place of ARM.`,
      hint: `${armProxy.variable} names this proxy. Correct it, or add the ARM host to NO_PROXY.`,
    });
  }
  if (status === 401) return toUnauthorizedError(code, request, fail);
  if (status === 403) {
    const principal = claims.principalId ?? "<principal id>";
    return fail("ACCESS_DENIED", {
      message: `The identity may not read the resource group ${resourceGroup}.`,
      hint:
        "It has no role there, or a role assigned moments ago does not work yet: that takes up to 10 minutes. " +
        "A wrong group or subscription name is answered in the same way. Roles are assigned to the principal id " +
        `(${principal}), not to the client id.`,
      commands: [
        `az role assignment list --assignee "${principal}" --scope "${scope}" --include-inherited --output table`,
        `az role assignment create --assignee-object-id "${principal}" --assignee-principal-type ServicePrincipal ` +
          `--role Reader --scope "${scope}"`,
      ],
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
      message: "ARM is throttling: it answered 429 to the last attempt too.",
      hint: "The identity or the subscription makes too many requests. Run verify again later.",
    });
  }
  if (status === 408 || status >= 500) {
    return fail("ARM_UNAVAILABLE", {
      message: `ARM answered ${status}, also to the last attempt.`,
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
  { settings, claims }: ArmRequest,
  fail: Fail,
): VerifyError {
  switch (code) {
    case "ExpiredAuthenticationToken":
      return fail("TOKEN_EXPIRED", {
        message: "ARM holds the token for expired.",
        hint: "The VM's clock is wrong, or IMDS handed out an old token. Set the clock and run verify again.",
        commands: ["w32tm /resync"],
      });
    case "InvalidAuthenticationTokenTenant":
      return fail("TOKEN_WRONG_TENANT", {
        message: "The subscription belongs to another tenant than the identity.",
        hint:
          `The token is from tenant ${claims.tenantId ?? "(unknown)"}. Check the subscription id. If the subscription moved ` +
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
  const cameBack: CameBack = { status: outcome.status, ...getErrorBody(outcome.json) };
  const requestId = outcome.header("x-ms-request-id");
  const correlationId = outcome.header("x-ms-correlation-request-id");
  const server = outcome.header("server");
  if (requestId) cameBack.requestId = requestId;
  if (correlationId) cameBack.correlationId = correlationId;
  if (server) cameBack.server = server;
  return cameBack;
}
