/**
 * Azure's rules for what a person types into the settings, so that a wrong value is refused here, in
 * a second, and not by Azure, minutes into a deployment.
 *
 * Each check returns what is wrong with the value, to follow its setting's name in a sentence, or
 * undefined when nothing is. No check repeats the value of a password.
 */

import { MAX_VM_COUNT, nameInFleet } from "./fleet";

/** The VM's tag that holds the client id of its identity, so that a script on the VM can find out which identity to ask for. */
export const IDENTITY_CLIENT_ID_TAG = "identity-client-id";

/** The identity's name unless a person sets one, as in `Pulumi.yaml`: it contradicts nothing. */
export const DEFAULT_IDENTITY_NAME = "windows-vm-identity";

/** Windows has no room for a longer computer name. */
const MAX_VM_NAME_CHARS = 15;

const RESOURCE_GROUP_ID = String.raw`/subscriptions/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/resourceGroups/[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]`;
const IDENTITY_ID = new RegExp(
  `^${RESOURCE_GROUP_ID}/providers/Microsoft[.]ManagedIdentity/userAssignedIdentities/[a-z0-9][a-z0-9_-]{2,127}$`,
  "iu",
);

/** User names that Azure refuses for a VM's administrator ("Virtual Machines - Create Or Update", osProfile.adminUsername). */
export const REFUSED_USERNAMES: ReadonlySet<string> = new Set(
  (
    "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup " +
    "console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5"
  ).split(" "),
);

/** Passwords that Azure refuses for a VM's administrator ("Virtual Machines - Create Or Update", osProfile.adminPassword). */
export const REFUSED_PASSWORDS: ReadonlySet<string> = new Set(
  "abc@123 P@$$w0rd P@ssw0rd P@ssword123 Pa$$word pass@word1 Password! Password1 Password22 iloveyou!".split(
    " ",
  ),
);

/** Checks the name of a region in its short form, such as `westeurope`. */
export function checkLocation(value: string): string | undefined {
  return /^[a-z][a-z0-9]+$/.test(value)
    ? undefined
    : `is "${value}", which is not the short name of a region, such as westeurope`;
}

/** Checks the name of a user-assigned identity: the tutorial's rule, which is the one for identities that a VM carries. */
export function checkIdentityName(value: string): string | undefined {
  return /^[a-z0-9][a-z0-9-]{2,23}$/i.test(value)
    ? undefined
    : `is "${value}": use 3 to 24 letters, digits and hyphens, and begin with a letter or digit`;
}

/** Checks a name that serves both as an Azure VM's name and as its computer name in Windows ("Naming rules and restrictions for Azure resources"). */
export function checkVmName(value: string): string | undefined {
  if (!/^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/i.test(value)) {
    return `is "${value}": use 1 to 15 letters, digits and hyphens, with no hyphen first or last`;
  }
  return /^\d+$/.test(value)
    ? `is "${value}": Windows refuses a computer name of digits only`
    : undefined;
}

/** Checks how many VMs there are to be. */
export function checkVmCount(value: unknown): string | undefined {
  const isCount =
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_VM_COUNT;
  return isCount
    ? undefined
    : `is ${JSON.stringify(value)}: use a whole number from 1 to ${MAX_VM_COUNT}`;
}

/** Checks that the last VM's name, which has its number, isn't too long either. */
export function checkLastVmName(vmName: string, vmCount: number): string | undefined {
  const last = nameInFleet(vmName, vmCount);
  return last.length > MAX_VM_NAME_CHARS
    ? `makes "${last}" the name of VM ${vmCount}, which has ${last.length} characters: at most ${MAX_VM_NAME_CHARS} are allowed`
    : undefined;
}

/** Checks whether something is switched on or off. */
export function checkSwitch(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : `is ${JSON.stringify(value)}: use true or false`;
}

/** Checks the form of a resource group's id; whether there is such a group, only Azure knows. */
export function checkResourceGroupId(value: string): string | undefined {
  if (STACK_OWN_GROUP.test(value)) return OWN_GROUP_PROBLEM;
  return new RegExp(`^${RESOURCE_GROUP_ID}$`, "iu").test(value)
    ? undefined
    : `is "${value}", which is not the id of a resource group, /subscriptions/<guid>/resourceGroups/<name>: see az group show --name <name> --query id`;
}

/**
 * In a group as this program names those that it makes: a stack that is told to use what is its own, instead of making
 * it, deletes it.
 */
const STACK_OWN_GROUP = /\/resourceGroups\/resource-group[\da-f]{8}(\/|$)/i;

const OWN_GROUP_PROBLEM =
  "is in a resource group that a stack of this program made, and would delete now or some day: name what was made outside";

/** Checks the form of a user-assigned identity's id; whether there is such an identity, only Azure knows. */
export function checkIdentityId(value: string): string | undefined {
  if (STACK_OWN_GROUP.test(value)) return OWN_GROUP_PROBLEM;
  return IDENTITY_ID.test(value)
    ? undefined
    : `is "${value}", which is not the id of a user-assigned identity, /subscriptions/<guid>/resourceGroups/<name>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>: see az identity list --query [].id`;
}

/** Checks that a name for a new identity doesn't contradict the id of one to use, if there is one. */
export function checkNoOtherName(
  identityName: string,
  identityId: string | undefined,
): string | undefined {
  const existing = identityId?.split("/").at(-1) ?? "";
  const names = [DEFAULT_IDENTITY_NAME, existing.toLowerCase()];
  return identityId === undefined || names.includes(identityName.toLowerCase())
    ? undefined
    : `is "${identityName}", but identityId says to use "${existing}": remove one of the two, with pulumi config rm`;
}

/** Checks the form of a VM size, such as `Standard_B2s_v2`; whether the region has it, only Azure knows. */
export function checkVmSize(value: string): string | undefined {
  return /^Standard_[A-Za-z0-9]+([_-][A-Za-z0-9]+)*$/.test(value)
    ? undefined
    : `is "${value}", which is not the name of a VM size, such as Standard_B2s_v2`;
}

/** Checks the form of an image SKU, such as `2025-datacenter-azure-edition`. */
export function checkImageSku(value: string): string | undefined {
  return /^[a-z0-9]+([-_.][a-z0-9]+)*$/i.test(value)
    ? undefined
    : `is "${value}", which is not the name of an image SKU, such as 2025-datacenter-azure-edition`;
}

/** Checks the name of the VM's administrator ("Virtual Machines - Create Or Update", osProfile.adminUsername). */
export function checkAdminUsername(value: string): string | undefined {
  if (value.length < 1 || value.length > 20) {
    return `has ${value.length} characters: use 1 to 20`;
  }
  if (!/^[a-z0-9._-]*[a-z0-9_-]$/i.test(value)) {
    return `is "${value}": use letters, digits, hyphens, underscores and dots, with no dot at the end`;
  }
  return REFUSED_USERNAMES.has(value.toLowerCase())
    ? `is "${value}", one of the names that Azure refuses`
    : undefined;
}

/**
 * Checks the password of the VM's administrator ("Virtual Machines - Create Or Update",
 * osProfile.adminPassword). Azure asks for three of the four kinds of character; this asks for all
 * four, which passes everywhere.
 */
export function checkAdminPassword(value: string): string | undefined {
  if (value.length < 12 || value.length > 123) {
    return `has ${value.length} characters: use 12 to 123`;
  }
  if (/\p{Cc}/u.test(value)) {
    return "has a control character";
  }
  const missing = [
    { kind: "a lower-case letter", pattern: /[a-z]/ },
    { kind: "an upper-case letter", pattern: /[A-Z]/ },
    { kind: "a digit", pattern: /\d/ },
    { kind: "a special character", pattern: /[^A-Za-z0-9]/ },
  ].filter(({ pattern }) => !pattern.test(value));
  if (missing.length > 0) {
    return `lacks ${missing.map(({ kind }) => kind).join(" and ")}`;
  }
  return REFUSED_PASSWORDS.has(value) ? "is one of the passwords that Azure refuses" : undefined;
}

/**
 * Checks tags ("Use tags to organize your Azure resources": at most 50, names to 512 characters in any
 * case, values to 256). The VM has a tag of the stack's own, {@link IDENTITY_CLIENT_ID_TAG}.
 */
export function checkTags(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "is not an object of tag names and values";
  }
  const tags = Object.entries(value);
  if (tags.length > 49) {
    return `has ${tags.length} tags: use at most 49, since Azure takes 50 and the VM has one of the stack's own`;
  }
  const names = tags.map(([name]) => name.toLowerCase());
  if (new Set(names).size < names.length) {
    return "has two names that differ in case only: Azure takes them for one";
  }
  if (names.includes(IDENTITY_CLIENT_ID_TAG)) {
    return `has the name "${IDENTITY_CLIENT_ID_TAG}", which the stack gives to the VM itself`;
  }
  for (const [name, text] of tags) {
    if (name.length < 1 || name.length > 512 || /[<>%&\\?/]/.test(name)) {
      return `has the name "${name}": use 1 to 512 characters, none of < > % & \\ ? /`;
    }
    if (typeof text !== "string" || text.length > 256) {
      return `has a value for "${name}" that is not a string of at most 256 characters`;
    }
  }
  return undefined;
}
