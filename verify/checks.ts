import { VerifyError } from "./errors";
import type { Given } from "./options";

/** A day: far above every documented wait, and small enough for a timer. */
const MAX_SECONDS = 86_400;

/** Names and ids of Azure are equal whatever their casing. */
export function isSameText(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether a text is a GUID, and with it safe to put into a command. */
export function isGuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * A GUID as given.
 * @throws VerifyError `SETTINGS_INVALID`, as all checks here, naming where the value came from and what is wrong with it
 */
export function checkGuid(given: Given): string {
  if (isGuid(given.value)) return given.value;
  throw refuse(
    given,
    `must be a GUID, not ${quote(given.value)}`,
    "It looks like 00000000-0000-0000-0000-000000000000.",
  );
}

/** By "Naming rules and restrictions for Azure resources", `Microsoft.Resources/resourceGroups`. */
export function checkResourceGroup(given: Given): string {
  const { value } = given;
  // The first pattern is for speed: most names have no other letters, and all of Unicode's take long to prepare.
  const isName = /^[\w\-.()]{1,90}$/.test(value) || /^[\p{L}\p{N}_\-.()]{1,90}$/u.test(value);
  if (isName && !value.endsWith(".")) return value;
  throw refuse(
    given,
    `is no name of a resource group: ${quote(given.value)}`,
    "Give the name only: up to 90 letters, digits and _-.(), not ending in a period.",
  );
}

/** The base URL of a server, without trailing slash. */
export function checkUrl(given: Given, protocol: "http:" | "https:"): string {
  const url = URL.canParse(given.value) ? new URL(given.value) : undefined;
  // The value is not quoted: a URL with credentials in it is one of the things refused here.
  const isBase =
    url?.protocol === protocol &&
    url.pathname === "/" &&
    !/[?#]/.test(given.value) &&
    !url.username &&
    !url.password;
  if (isBase) return url.origin;
  throw refuse(
    given,
    `must be the base URL of a server, starting with ${protocol}//`,
    `It looks like ${protocol}//host or ${protocol}//host:port, with no path, user or query.`,
  );
}

/** A number of seconds, in milliseconds. */
export function checkSeconds(given: Given, min: number): number {
  const seconds = /^\d+(\.\d+)?$/.test(given.value) ? Number(given.value) : NaN;
  if (seconds >= min && seconds <= MAX_SECONDS) return Math.round(seconds * 1_000);
  throw refuse(
    given,
    `must be a number of seconds from ${min} to ${MAX_SECONDS}, not ${quote(given.value)}`,
    "Give a number such as 30.",
  );
}

/** The error for a value that can't be right. */
export function refuse({ source }: Given, problem: string, hint: string): VerifyError {
  return new VerifyError("SETTINGS_INVALID", { message: `${source} ${problem}.`, hint });
}

/** Enough of a value to recognize it by. */
function quote(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
