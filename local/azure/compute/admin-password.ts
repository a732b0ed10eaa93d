import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";

import { AzureError, invalidParameter, missingParameter } from "../errors";
import { readObject, readText } from "../json";
import type { JsonObject } from "../json";
import type { Resource } from "../state";

const MIN_PASSWORD_CHARS = 8;
const MAX_PASSWORD_CHARS = 123;
const MIN_PASSWORD_KINDS = 3;

/** Passwords that are refused, from OSProfile in the REST API (compute, 2024-11-01). */
const FORBIDDEN_PASSWORDS: readonly string[] =
  "abc@123 P@$$w0rd P@ssw0rd P@ssword123 Pa$$word pass@word1 Password! Password1 Password22 iloveyou!".split(
    " ",
  );

/** Enough to tell a changed password from a repeated one; it lives in memory only. */
const DIGEST_BYTES = 32;
const DIGEST_COST = 1024;

/** What is kept of a password: a salted digest. */
export type PasswordDigest = NonNullable<Resource["passwordDigest"]>;

/**
 * What is kept of the administrator's password that a PUT brings. An update may repeat the password
 * or leave it out.
 * @throws AzureError 400 InvalidParameter for a new VM's password out of rule, 409
 * PropertyChangeNotAllowed for a change; no message quotes the password
 */
export function keepPassword(
  properties: JsonObject,
  existing: Resource | undefined,
): PasswordDigest | undefined {
  const osProfile = readObject(properties["osProfile"], "properties.osProfile");
  const password = readText(osProfile["adminPassword"], "properties.osProfile.adminPassword");
  if (existing === undefined) {
    checkPassword(password);
    const salt = randomBytes(16);
    return { salt, digest: digestOf(password, salt) };
  }
  const kept = existing.passwordDigest;
  if (password === undefined || kept === undefined) return kept;
  if (timingSafeEqual(digestOf(password, kept.salt), kept.digest)) return kept;
  throw new AzureError(
    409,
    "PropertyChangeNotAllowed",
    "Changing property 'adminPassword' is not allowed.",
    { target: "adminPassword" },
  );
}

function digestOf(password: string, salt: Uint8Array): Uint8Array {
  return scryptSync(password, salt, DIGEST_BYTES, { N: DIGEST_COST });
}

function checkPassword(password: string | undefined): asserts password is string {
  if (password === undefined || password === "") throw missingParameter("adminPassword");
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[\W_]/].filter((kind) => kind.test(password));
  const isBad =
    password.length < MIN_PASSWORD_CHARS ||
    password.length > MAX_PASSWORD_CHARS ||
    kinds.length < MIN_PASSWORD_KINDS;
  if (isBad) {
    throw invalidParameter(
      "adminPassword",
      `The supplied password must be between ${MIN_PASSWORD_CHARS}-${MAX_PASSWORD_CHARS} characters long and must satisfy at least ${MIN_PASSWORD_KINDS} of password complexity requirements from the following:\r\n1) Contains an uppercase character\r\n2) Contains a lowercase character\r\n3) Contains a numeric digit\r\n4) Contains a special character\r\n5) Control characters are not allowed`,
    );
  }
  if (FORBIDDEN_PASSWORDS.includes(password)) {
    throw invalidParameter("adminPassword", "The supplied password is not allowed.");
  }
}
