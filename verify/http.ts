import axios, { AxiosError } from "axios";
import { CONNECT_TIMEOUT_CODE, DIRECT_TRANSPORT } from "./direct-transport";

/** An answer with any status. Redirects are answers too: they are never followed. */
export interface HttpAnswer {
  kind: "answer";
  status: number;
  /** A response header by its lower-case name. */
  header: (name: string) => string | undefined;
  /** The parsed body, or undefined when it is empty or not JSON. */
  json: unknown;
  /** This machine's clock less that of the answer's `Date` header, in milliseconds; undefined without one. */
  clockSkewMs: number | undefined;
}

/** No usable answer came. */
export interface HttpFailure {
  kind: "failure";
  reason:
    | "unreachable"
    | "connect-timeout"
    | "timeout"
    | "reset"
    | "tls"
    | "too-large"
    | "not-http"
    | "cancelled";
  /** The code of the system, TLS or HTTP parser error, such as ECONNREFUSED, when there is one. */
  systemCode: string | undefined;
}

/** What became of one HTTP call. */
export type HttpOutcome = HttpAnswer | HttpFailure;

/** One GET to make. */
export interface HttpRequest {
  url: string;
  headers: Record<string, string>;
  /** "bypass" ignores every proxy setting (IMDS must not be proxied), "environment" follows HTTPS_PROXY and its kin. */
  proxy: "bypass" | "environment";
  /** Bound of the whole call in milliseconds, from connecting to the last byte of the body. */
  timeoutMs: number;
  /** Ends the call early. */
  signal: AbortSignal;
}

/** No answer of IMDS or ARM that verify asks for comes near this size. */
const MAX_BODY_BYTES = 1024 * 1024;

const UNREACHABLE_CODES = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EACCES",
]);

/** Of TLS itself, and of OpenSSL's verification of certificates. */
const TLS_CODES =
  /^(CERT_|CRL_|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO|INVALID_|PATH_LENGTH_|HOSTNAME_)|SELF_SIGNED/;

/**
 * Makes one GET. Never throws or returns the client's own error object: that one holds the request's headers, and with
 * them the token.
 * @throws only what is a fault in this program
 */
export async function get(request: HttpRequest): Promise<HttpOutcome> {
  // axios' own timeout starts anew with each byte, so a slow drip outlives it: a signal bounds the whole. Node does not
  // wait for an AbortSignal.timeout, and would end the process if nothing else is left, as behind a proxy that takes a
  // connection and closes it again.
  const stop = new AbortController();
  const abort = () => {
    stop.abort();
  };
  const timer = setTimeout(abort, request.timeoutMs);
  request.signal.addEventListener("abort", abort);
  if (request.signal.aborted) abort();
  try {
    const response = await axios.get<string>(request.url, {
      adapter: "http",
      headers: { "Accept-Encoding": "identity", "User-Agent": "verify", ...request.headers },
      ...(request.proxy === "bypass" ? { proxy: false as const, transport: DIRECT_TRANSPORT } : {}),
      signal: stop.signal,
      maxRedirects: 0,
      maxContentLength: MAX_BODY_BYTES,
      decompress: false,
      responseType: "text",
      validateStatus: () => true,
    });
    const header = (name: string) => {
      const value: unknown = response.headers[name];
      return typeof value === "string" ? value : undefined;
    };
    const answeredAt = Date.parse(header("date") ?? "");
    return {
      kind: "answer",
      status: response.status,
      header,
      json: parseJson(response.data),
      clockSkewMs: Number.isNaN(answeredAt) ? undefined : Date.now() - answeredAt,
    };
  } catch (error) {
    if (request.signal.aborted) {
      return { kind: "failure", reason: "cancelled", systemCode: undefined };
    }
    if (!(error instanceof AxiosError)) throw error;
    return toFailure(error, stop.signal.aborted);
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", abort);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the body, which may hold a token: it ends here.
    return undefined;
  }
}

function toFailure(error: AxiosError, timedOut: boolean): HttpFailure {
  const { code } = error;
  const systemCode = code?.startsWith("ERR_BAD_") || code === "ERR_CANCELED" ? undefined : code;
  return { kind: "failure", reason: toReason(error, code, timedOut), systemCode };
}

function toReason(
  error: AxiosError,
  code: string | undefined,
  timedOut: boolean,
): HttpFailure["reason"] {
  if (code === CONNECT_TIMEOUT_CODE) return "connect-timeout";
  if (timedOut || code === "ETIMEDOUT") return "timeout";
  if (code === undefined) return "reset";
  if (UNREACHABLE_CODES.has(code)) return "unreachable";
  if (code.startsWith("HPE_")) return "not-http";
  if (TLS_CODES.test(code)) return "tls";
  // axios gives both of these the same code; only a body cut short comes with the answer it belonged to.
  if (code === AxiosError.ERR_BAD_RESPONSE) {
    return error.response ? "reset" : "too-large";
  }
  return "reset";
}
