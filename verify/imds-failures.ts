import type { ImdsSettings } from "./config";
import { VerifyError, type Asked, type CameBack, type Cause, type Fail } from "./errors";
import { CONNECT_TIMEOUT_MS } from "./direct-transport";
import type { HttpAnswer, HttpFailure, HttpOutcome } from "./http";
import { isObject } from "./json";
import { readRetryAfter } from "./retry";

/** What to do when the answer can't be IMDS'. */
export const NOT_IMDS_HINT =
  "Something else answers at the address of IMDS: a proxy, a captive portal, a container's network. " +
  "Run verify on the VM itself, not in a container, and check the address.";

const PROBE_COMMAND =
  'curl.exe --noproxy "*" -H Metadata:true "http://169.254.169.254/metadata/instance?api-version=2021-02-01"';

const UNREACHABLE_CAUSES: readonly Cause[] = [
  {
    code: "NOT_AN_AZURE_VM",
    meaning: "This is not an Azure VM: nothing else has an IMDS.",
    commands: [],
  },
  {
    code: "CONTAINER_NETWORK",
    meaning: "verify runs in a container whose network does not reach IMDS: run it on the VM.",
    commands: [],
  },
  {
    code: "ROUTE_OR_FIREWALL",
    meaning:
      "A route, a VPN or a firewall on the VM takes the requests; they must leave by the primary network interface.",
    commands: ["route print 169.254.169.254", PROBE_COMMAND],
  },
];

const DENIED_CAUSES: readonly Cause[] = [
  {
    code: "METADATA_SECURITY_PROTOCOL",
    meaning:
      "The VM's Metadata Security Protocol allows only some programs and users: its proxy agent's log names the rule.",
    commands: [
      "Get-Service GuestProxyAgent",
      "Get-WinEvent -ProviderName GuestProxyAgent -MaxEvents 20",
    ],
  },
  {
    code: "CONTAINER_NETWORK",
    meaning: "A container's network refuses the way to IMDS: run verify on the VM.",
    commands: [],
  },
  {
    code: "FORWARDED_REQUEST",
    meaning: "Something on the way adds an X-Forwarded-For header, which IMDS does not serve.",
    commands: [PROBE_COMMAND],
  },
];

/**
 * The diagnosis of a request to IMDS that did not end with status 200, by status and error code as documented in "How to
 * use managed identities for Azure resources on an Azure VM to acquire an access token", section "Error handling".
 */
export function toImdsError(
  outcome: HttpOutcome,
  asked: Asked,
  settings: ImdsSettings,
): VerifyError {
  const fail: Fail = (code, details) =>
    new VerifyError(code, { ...details, asked, cameBack: toImdsCameBack(outcome) });
  return outcome.kind === "failure"
    ? toTransportError(outcome, settings, fail)
    : toStatusError(outcome, fail);
}

function toTransportError({ reason }: HttpFailure, settings: ImdsSettings, fail: Fail) {
  switch (reason) {
    case "cancelled":
      return fail("INTERRUPTED", {
        message: "Interrupted while waiting for IMDS to answer.",
        hint: "Run verify again.",
      });
    case "timeout":
      return fail("IMDS_TIMEOUT", {
        message: `IMDS did not answer within ${settings.timeoutMs / 1_000} s.`,
        ...(settings.timeoutMs > CONNECT_TIMEOUT_MS
          ? {
              hint: "It took the connection, so it is there, but slow or stuck. Run verify again, or restart the VM.",
              commands: [PROBE_COMMAND],
            }
          : {
              hint: "It is slow, or not there: --timeout is too short to tell.",
              causes: UNREACHABLE_CAUSES,
            }),
      });
    case "too-large":
    case "not-http":
    case "tls":
      return fail("IMDS_BAD_ANSWER", {
        message: "The answer to the request is none that IMDS gives.",
        hint: NOT_IMDS_HINT,
      });
    case "unreachable":
    case "connect-timeout":
    case "reset":
      return fail("IMDS_UNREACHABLE", {
        message:
          reason === "reset"
            ? "The connection to IMDS was cut."
            : "There is no connection to IMDS.",
        hint: "verify has to run on the VM that carries the identity.",
        causes: UNREACHABLE_CAUSES,
      });
  }
}

function toStatusError(outcome: HttpAnswer, fail: Fail) {
  const { status } = outcome;
  if (status >= 400 && isProxys(outcome)) {
    return fail("IMDS_PROXIED", {
      message: `A proxy answered ${status} in place of IMDS.`,
      hint:
        "verify itself asks IMDS past every proxy setting, so a proxy takes the request on its way. " +
        "Requests to 169.254.169.254 must leave the VM directly.",
      commands: ["netsh winhttp show proxy", "route print 169.254.169.254"],
    });
  }
  if (status >= 400 && isForeignPage(outcome)) {
    return fail("IMDS_BAD_ANSWER", {
      message: `The request was answered with a web page (${status}), which IMDS never sends.`,
      hint: NOT_IMDS_HINT,
      causes: UNREACHABLE_CAUSES,
    });
  }
  if (status === 401 || status === 403) {
    return fail("IMDS_DENIED", {
      message: `IMDS denies this caller (${status}).`,
      hint: "The request reached IMDS, or a guard in front of it, which does not serve this program.",
      causes: DENIED_CAUSES,
    });
  }
  if (status === 429) {
    return fail("IMDS_THROTTLED", {
      message: "IMDS is throttling (429).",
      hint:
        "Something on this VM asks IMDS all the time (its limits: 20 requests per second and 5 at once for tokens). " +
        "Run verify again later.",
    });
  }
  if (status === 404 || status === 410 || status >= 500) {
    return fail("IMDS_UNAVAILABLE", {
      message: `IMDS answered ${status}.`,
      hint: "IMDS or the directory behind it is in trouble, or being updated. Run verify again later.",
    });
  }
  if (status >= 400) {
    return fail("IMDS_REFUSED", {
      message: `IMDS refused the request (${status}).`,
      hint: "Check the settings. If they are right, something other than IMDS may answer at its address.",
    });
  }
  return fail("IMDS_BAD_ANSWER", {
    message: `The request was answered with status ${status}, which IMDS never does.`,
    hint: NOT_IMDS_HINT,
  });
}

/** By the status and the headers that only proxies have. */
function isProxys({ status, header }: HttpAnswer): boolean {
  const headers = ["via", "proxy-authenticate", "proxy-status", "x-squid-error"];
  return status === 407 || headers.some((name) => header(name));
}

/** A page for people, and not from Azure's own server: another cloud's metadata service, a container's network. */
function isForeignPage({ header }: HttpAnswer): boolean {
  const isPage = /^text\/html\b/i.test(header("content-type") ?? "");
  return isPage && !/^(IMDS|Microsoft-)/i.test(header("server") ?? "");
}

/** The `error` of IMDS' error body, `{"error","error_description"}`. */
export function getImdsErrorCode(json: unknown): string | undefined {
  return getText(json, "error");
}

/** What to show of an outcome. */
export function toImdsCameBack(outcome: HttpOutcome): CameBack {
  if (outcome.kind === "failure") return outcome.systemCode ? { code: outcome.systemCode } : {};
  const { status, json, header } = outcome;
  const cameBack: CameBack = { status, ...readRetryAfter(outcome) };
  const code = getImdsErrorCode(json);
  const message = status === 200 ? undefined : getText(json, "error_description");
  const server = header("server");
  if (code) cameBack.code = code;
  if (message) cameBack.message = message;
  if (server) cameBack.server = server;
  return cameBack;
}

function getText(json: unknown, name: string): string | undefined {
  const value = isObject(json) ? json[name] : undefined;
  return typeof value === "string" ? value : undefined;
}
