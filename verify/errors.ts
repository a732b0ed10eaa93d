/**
 * Every way verify can fail, by code: its exit code and what it means. The codes stand in `error.code` of the JSON
 * report and never change their meaning; `--help` prints this table.
 * Exit codes by step: 2 settings, 10s the metadata service (IMDS), 20s the identity and its token, 30s Azure Resource
 * Manager (ARM), 40s what ARM says about the token, 50s access.
 */
export const FAILURES = {
  INTERNAL_ERROR: { exitCode: 1, meaning: "a fault in verify itself" },
  SETTINGS_INVALID: { exitCode: 2, meaning: "a setting is missing, malformed or given twice" },
  IMDS_UNREACHABLE: { exitCode: 10, meaning: "no connection to the metadata service (IMDS)" },
  IMDS_TIMEOUT: { exitCode: 11, meaning: "IMDS did not answer in time" },
  IMDS_BAD_ANSWER: { exitCode: 12, meaning: "something else than IMDS answered in its place" },
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
  ARM_UNREACHABLE: { exitCode: 30, meaning: "no connection to Azure Resource Manager (ARM)" },
  ARM_TIMEOUT: { exitCode: 31, meaning: "ARM did not answer in time" },
  ARM_BAD_ANSWER: { exitCode: 32, meaning: "something else than ARM answered in its place" },
  ARM_UNAVAILABLE: { exitCode: 33, meaning: "ARM failed (5xx)" },
  ARM_THROTTLED: { exitCode: 34, meaning: "ARM answered too many requests (429)" },
  ARM_NOT_TRUSTED: { exitCode: 35, meaning: "ARM's TLS certificate or handshake failed" },
  ARM_PROXY_FAILED: { exitCode: 36, meaning: "the proxy on the way to ARM failed" },
  ARM_REFUSED: { exitCode: 37, meaning: "ARM refused the request for another reason (4xx)" },
  TOKEN_REFUSED: { exitCode: 40, meaning: "ARM does not accept the token (401)" },
  TOKEN_EXPIRED: { exitCode: 41, meaning: "ARM holds the token for expired (401)" },
  TOKEN_WRONG_TENANT: { exitCode: 42, meaning: "the subscription belongs to another tenant (401)" },
  TOKEN_WRONG_AUDIENCE: {
    exitCode: 43,
    meaning: "the token is for another cloud or service (401)",
  },
  ACCESS_DENIED: { exitCode: 50, meaning: "the identity may not read the resource group (403)" },
  SUBSCRIPTION_NOT_FOUND: { exitCode: 51, meaning: "there is no such subscription (404)" },
  RESOURCE_GROUP_NOT_FOUND: { exitCode: 52, meaning: "there is no such resource group (404)" },
} as const satisfies Record<string, { exitCode: number; meaning: string }>;

/** The name of one kind of failure: the stable value to branch on. */
export type FailureCode = keyof typeof FAILURES;

/** What was asked when a call failed. The URL holds no secret: tokens travel in headers and bodies only. */
export interface Asked {
  method: "GET";
  url: string;
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
  /** The `Server` header: tells whether the expected service answered at all. */
  server?: string;
}

/** The parts of a {@link VerifyError} besides its code. */
export interface FailureDetails {
  /** One sentence: what went wrong. */
  message: string;
  /** What it most likely means and what to do about it. */
  hint: string;
  /** Commands to run next, in order; none where no command helps. */
  commands?: readonly string[];
  asked?: Asked;
  cameBack?: CameBack;
}

/** The only error the parts of verify throw on purpose. It never holds a token nor the HTTP client's own error. */
export class VerifyError extends Error {
  /** Which kind of failure this is. */
  readonly code: FailureCode;
  /** The process's exit code for it. */
  readonly exitCode: number;
  /** What it most likely means and what to do about it. */
  readonly hint: string;
  /** Commands to run next, in order. */
  readonly commands: readonly string[];
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
    if (details.asked) this.asked = details.asked;
    if (details.cameBack) this.cameBack = details.cameBack;
  }
}
