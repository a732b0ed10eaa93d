import type { Settings } from "./config";
import { VerifyError, type Asked, type CameBack, type FailureDetails } from "./errors";
import type { HttpAnswer, HttpOutcome } from "./http";
import { isObject } from "./json";

/** What to do when the answer can't be IMDS'. */
export const NOT_IMDS_HINT =
  "Something else answers at the address of IMDS: a proxy, a captive portal, a container's network. " +
  "Run verify on the VM itself, not in a container, and check the address.";

const UNREACHABLE_HINT =
  "IMDS exists on Azure VMs only. On a VM, a firewall rule, a route or the network of a container stands in between.";

/**
 * The diagnosis of a token request that did not end with status 200, by status and error code as documented in "How to
 * use managed identities for Azure resources on an Azure VM to acquire an access token", section "Error handling".
 */
export function toImdsError(outcome: HttpOutcome, asked: Asked, settings: Settings): VerifyError {
  const fail = (code: VerifyError["code"], details: Omit<FailureDetails, "asked" | "cameBack">) =>
    new VerifyError(code, { ...details, asked, cameBack: toImdsCameBack(outcome) });

  if (outcome.kind === "failure") {
    switch (outcome.reason) {
      case "timeout":
        return fail("IMDS_TIMEOUT", {
          message: `IMDS did not answer within ${settings.timeoutMs / 1_000} s.`,
          hint: UNREACHABLE_HINT,
        });
      case "too-large":
      case "not-http":
      case "tls":
        return fail("IMDS_BAD_ANSWER", {
          message: "The answer to the token request is none that IMDS gives.",
          hint: NOT_IMDS_HINT,
        });
      case "unreachable":
      case "reset":
        return fail("IMDS_UNREACHABLE", {
          message:
            outcome.reason === "reset"
              ? "The connection to IMDS was cut."
              : "There is no connection to IMDS.",
          hint: UNREACHABLE_HINT,
        });
    }
  }

  const { status, json } = outcome;
  if (isIdentityUnknown(outcome)) {
    return fail("IDENTITY_NOT_ATTACHED", {
      message: `This VM does not carry the identity with client id ${settings.clientId}.`,
      hint:
        "The identity was never attached to the VM, or it was recreated and has a new client id. " +
        "Compare the client id with those of the VM's identities, and attach the identity if it is missing.",
      commands: [
        "az vm identity show --resource-group <VM's group> --name <VM>",
        "az vm identity assign --resource-group <VM's group> --name <VM> --identities <identity's resource id>",
      ],
    });
  }
  if (status === 400 && getErrorCode(json) === "invalid_resource") {
    return fail("AUDIENCE_UNKNOWN", {
      message: `The identity's tenant does not know the audience ${settings.armEndpoint}/.`,
      hint: "The ARM endpoint is another cloud's, or misspelled. Check --arm-endpoint.",
      commands: ["az cloud show --query endpoints.resourceManager"],
    });
  }
  if (status === 401 || status === 403) {
    return fail("IMDS_DENIED", {
      message: `IMDS denies this caller (${status}).`,
      hint:
        "The VM's Metadata Security Protocol allows only some programs and users, a container's " +
        "network blocks IMDS, or something adds an X-Forwarded-For header to the request.",
    });
  }
  if (status === 429) {
    return fail("IMDS_THROTTLED", {
      message: "IMDS is throttling: it answered 429 to the last attempt too.",
      hint: "Something on this VM asks IMDS all the time (its limit: 20 requests per second). Run verify again later.",
    });
  }
  if (status === 404 || status === 408 || status === 410 || status >= 500) {
    return fail("IMDS_UNAVAILABLE", {
      message: `IMDS answered ${status}, also to the last attempt.`,
      hint: "IMDS or the directory behind it is in trouble, or being updated. Run verify again later.",
    });
  }
  if (status >= 400) {
    return fail("IMDS_REFUSED", {
      message: `IMDS refused the token request (${status}).`,
      hint: "Check the settings. If they are right, something other than IMDS may answer at its address.",
    });
  }
  return fail("IMDS_BAD_ANSWER", {
    message: `The token request was answered with status ${status}, which IMDS never does.`,
    hint: NOT_IMDS_HINT,
  });
}

/** Of all documented causes of `invalid_request`, only the unknown identity is left: id and header are always sent. */
export function isIdentityUnknown({ status, json }: HttpAnswer): boolean {
  return status === 400 && getErrorCode(json) === "invalid_request";
}

function getErrorCode(json: unknown): string | undefined {
  return getText(json, "error");
}

function getText(json: unknown, name: string): string | undefined {
  const value = isObject(json) ? json[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** What to show of an outcome; IMDS' error body is `{"error","error_description"}`. */
export function toImdsCameBack(outcome: HttpOutcome): CameBack {
  if (outcome.kind === "failure") return outcome.systemCode ? { code: outcome.systemCode } : {};
  const { status, json, header } = outcome;
  const cameBack: CameBack = { status };
  const code = getErrorCode(json);
  const message = status === 200 ? undefined : getText(json, "error_description");
  const server = header("server");
  if (code) cameBack.code = code;
  if (message) cameBack.message = message;
  if (server) cameBack.server = server;
  return cameBack;
}
