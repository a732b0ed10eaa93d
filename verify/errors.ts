/**
 * Every way verify can fail, by code: its exit code and what it means. The codes stand in `error.code` and
 * `warnings[].code` of the JSON report and never change their meaning; `--help` and the README print this table.
 * Exit codes by step: below 10 settings, 10s the metadata service (IMDS), 20s the identity and its token, 30s Azure
 * Resource Manager (ARM), 40s what ARM says about the token, 50s access, 60s least privilege. 70s are left to
 * verify.ps1.
 */
export const FAILURES = {
  INTERNAL_ERROR: { exitCode: 1, meaning: "a fault in verify itself" },
  SETTINGS_INVALID: { exitCode: 2, meaning: "a setting is empty, malformed or contradicting" },
  SETTINGS_INCOMPLETE: {
    exitCode: 3,
    meaning: "a setting is neither given nor known from the VM",
  },
  IMDS_UNREACHABLE: { exitCode: 10, meaning: "no connection to the metadata service (IMDS)" },
  IMDS_TIMEOUT: { exitCode: 11, meaning: "IMDS did not answer in time" },
  IMDS_BAD_ANSWER: { exitCode: 12, meaning: "something else than IMDS answered in its place" },
  IMDS_PROXIED: { exitCode: 13, meaning: "a proxy answered in IMDS' place" },
  IMDS_UNAVAILABLE: { exitCode: 14, meaning: "IMDS failed or was being updated (404, 410, 5xx)" },
  IMDS_THROTTLED: { exitCode: 15, meaning: "IMDS answered too many requests (429)" },
  IMDS_DENIED: {
    exitCode: 16,
    meaning: "IMDS or the VM's own guard denies this caller (401, 403)",
  },
  IMDS_REFUSED: { exitCode: 17, meaning: "IMDS refused the request for another reason (4xx)" },
  IDENTITY_NOT_ATTACHED: { exitCode: 20, meaning: "the VM does not carry this identity" },
  AUDIENCE_UNKNOWN: { exitCode: 21, meaning: "the tenant does not know the token's audience" },
  WRONG_IDENTITY: { exitCode: 22, meaning: "the token belongs to another identity" },
  IDENTITY_NOT_NAMED: { exitCode: 23, meaning: "no client id is given, and the VM has no tag" },
  CLIENT_ID_OUTDATED: {
    exitCode: 24,
    meaning: "the VM does not carry this identity, and its tag names another client id",
  },
  ARM_UNREACHABLE: { exitCode: 30, meaning: "no connection to Azure Resource Manager (ARM)" },
  ARM_TIMEOUT: { exitCode: 31, meaning: "ARM did not answer in time" },
  ARM_BAD_ANSWER: { exitCode: 32, meaning: "something else than ARM answered in its place" },
  ARM_UNAVAILABLE: { exitCode: 33, meaning: "ARM failed (5xx)" },
  ARM_THROTTLED: { exitCode: 34, meaning: "ARM answered too many requests (429)" },
  ARM_NOT_TRUSTED: { exitCode: 35, meaning: "ARM's TLS certificate or handshake failed" },
  ARM_PROXY_FAILED: { exitCode: 36, meaning: "the proxy on the way to ARM failed" },
  ARM_REFUSED: { exitCode: 37, meaning: "ARM refused the request for another reason (4xx)" },
  TOKEN_REFUSED: { exitCode: 40, meaning: "ARM does not accept the token (401)" },
  TOKEN_EXPIRED: { exitCode: 41, meaning: "the token is expired, by its claims or for ARM (401)" },
  TOKEN_WRONG_TENANT: { exitCode: 42, meaning: "the subscription belongs to another tenant (401)" },
  TOKEN_WRONG_AUDIENCE: {
    exitCode: 43,
    meaning: "the token is for another cloud or service, by its claims or for ARM (401)",
  },
  CLOCK_WRONG: {
    exitCode: 44,
    meaning:
      "this machine's clock is wrong by minutes (a warning without --strict, while TLS works)",
  },
  ACCESS_DENIED: {
    exitCode: 50,
    meaning: "403: no role on the resource group, or one that does not work yet",
  },
  SUBSCRIPTION_NOT_FOUND: { exitCode: 51, meaning: "there is no such subscription (404)" },
  RESOURCE_GROUP_NOT_FOUND: { exitCode: 52, meaning: "there is no such resource group (404)" },
  ROLE_MISSING: {
    exitCode: 53,
    meaning: "403 for longer than a new role takes to work: there is no role",
  },
  ROLE_PROPAGATING: {
    exitCode: 54,
    meaning: "403, though ARM already lists a role that may read: it does not work everywhere yet",
  },
  RESOURCE_GROUP_HIDDEN: {
    exitCode: 55,
    meaning: "403, but the identity reads other groups: a wrong name, or no role on this group",
  },
  ACCESS_BLOCKED: {
    exitCode: 56,
    meaning: "403 for another reason than a missing role, such as a deny assignment or a policy",
  },
  TOO_MUCH_PRIVILEGE: {
    exitCode: 60,
    meaning: "the identity may do more than read (a warning without --strict)",
  },
  NOT_READER: {
    exitCode: 61,
    meaning: "the identity may read less than Reader may (a warning without --strict)",
  },
  PERMISSIONS_UNKNOWN: {
    exitCode: 62,
    meaning: "the identity's permissions can't be read (a warning without --strict)",
  },
  INTERRUPTED: { exitCode: 130, meaning: "interrupted while a call was under way" },
} as const satisfies Record<string, { exitCode: number; meaning: string }>;

/** The name of one kind of failure: the stable value to branch on. */
export type FailureCode = keyof typeof FAILURES;

/** What was asked when a call failed. The URL holds no secret: tokens travel in headers and bodies only. */
export interface Asked {
  method: "GET";
  url: string;
  /** The proxy that the call went through, without its credentials, and the variable that names it. */
  proxy?: { url: string; variable: string };
}

/** What came back when a call failed; fields the service did not send are absent. */
export interface CameBack {
  /** HTTP status; absent when no answer came. */
  status?: number;
  /** The service's own error code (`AuthorizationFailed`, `invalid_request`) or the system's (`ECONNREFUSED`). */
  code?: string;
  /** The service's own sentence, for people only. */
  message?: string;
  /** ARM's `x-ms-request-id`; support asks for it. */
  requestId?: string;
  /** ARM's `x-ms-correlation-request-id`; support asks for it. */
  correlationId?: string;
  /** What the service's `Retry-After` asks for. */
  retryAfterSeconds?: number;
  /** The `Server` header: tells whether the expected service answered at all. */
  server?: string;
}

/** One explanation of a failure that has several which look the same from the VM. */
export interface Cause {
  /** Stable, like a {@link FailureCode}. */
  code:
    | "NOT_AN_AZURE_VM"
    | "CONTAINER_NETWORK"
    | "ROUTE_OR_FIREWALL"
    | "METADATA_SECURITY_PROTOCOL"
    | "FORWARDED_REQUEST"
    | "IDENTITY_NEVER_ATTACHED"
    | "IDENTITY_RECREATED"
    | "REQUEST_CHANGED"
    | "SYSTEM_ASSIGNED_IDENTITY"
    | "SOMETHING_ELSE_ANSWERS"
    | "ROLE_NOT_ASSIGNED"
    | "ROLE_ON_CLIENT_ID"
    | "ROLE_PROPAGATING"
    | "STALE_TOKEN"
    | "WRONG_NAME";
  /** One sentence. */
  meaning: string;
  /** Commands that tell whether it is this one, or mend it. */
  commands: readonly string[];
}

/** The parts of a {@link VerifyError} besides its code. */
export interface FailureDetails {
  /** One sentence: what went wrong. */
  message: string;
  /** What it most likely means and what to do about it. */
  hint: string;
  /** Commands to run next, in order; none where no command helps. */
  commands?: readonly string[];
  /** Where the VM can't tell: what it may be, the likeliest first. */
  causes?: readonly Cause[];
  asked?: Asked;
  cameBack?: CameBack;
}

/** Makes the error of one call, of which it knows what was asked and what came back. */
export type Fail = (
  code: FailureCode,
  details: Omit<FailureDetails, "asked" | "cameBack">,
) => VerifyError;

/**
 * The only error the parts of verify throw on purpose, and the form of a warning, which is not thrown. It never holds a
 * token nor the HTTP client's own error.
 */
export class VerifyError extends Error {
  /** Which kind of failure this is. */
  readonly code: FailureCode;
  /** The process's exit code for it. */
  readonly exitCode: number;
  /** What it most likely means and what to do about it. */
  readonly hint: string;
  /** Commands to run next, in order. */
  readonly commands: readonly string[];
  /** What it may be, the likeliest first; empty when there is nothing to choose from. */
  readonly causes: readonly Cause[];
  /** What was asked, when the failure came from a call. */
  readonly asked?: Asked;
  /** What came back, when the failure came from a call. */
  readonly cameBack?: CameBack;

  constructor(code: FailureCode, details: FailureDetails) {
    super(details.message);
    this.name = "VerifyError";
    this.code = code;
    this.exitCode = FAILURES[code].exitCode;
    this.hint = details.hint;
    this.commands = details.commands ?? [];
    this.causes = details.causes ?? [];
    if (details.asked) this.asked = details.asked;
    if (details.cameBack) this.cameBack = details.cameBack;
  }
}
