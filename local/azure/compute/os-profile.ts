import { AzureError, invalidParameter, missingParameter, notImplemented } from "../errors";
import { isObject, readObject, readText } from "../json";
import type { JsonObject } from "../json";

const MAX_USERNAME_CHARS = 20;
const MAX_COMPUTER_NAME_CHARS = 15;

/** Names that are refused, from OSProfile in the REST API (compute, 2024-11-01). */
const FORBIDDEN_USERNAMES: readonly string[] =
  "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest john owner root server sql support support_388945a0 sys test2 test3 user4 user5".split(
    " ",
  );

/**
 * Checks the `osProfile` of a new Windows VM and returns it as it is kept: without the password.
 * The rules are those of OSProfile in the REST API,
 * https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update#osprofile.
 * @throws AzureError 400 InvalidParameter; the message never quotes the password
 */
export function createOsProfile(properties: JsonObject, vmName: string): JsonObject {
  const kept = readOsProfile(properties);
  if (isObject(kept["linuxConfiguration"])) throw notImplemented("VMs other than Windows ones");
  const windows = readObject(kept["windowsConfiguration"], "windowsConfiguration");
  if (windows["additionalUnattendContent"] !== undefined) {
    throw notImplemented("additionalUnattendContent");
  }
  const computerName = readText(kept["computerName"], "properties.osProfile.computerName");
  checkComputerName(computerName ?? vmName);
  checkUsername(readText(kept["adminUsername"], "properties.osProfile.adminUsername"));
  return {
    ...kept,
    computerName: computerName ?? vmName,
    secrets: kept["secrets"] ?? [],
    allowExtensionOperations: kept["allowExtensionOperations"] ?? true,
    requireGuestProvisionSignal: true,
  };
}

/**
 * The `osProfile` of a VM after an update: what it had, changed by what the request has.
 * @throws AzureError 409 PropertyChangeNotAllowed when adminUsername or computerName would change
 */
export function updateOsProfile(existing: JsonObject, properties: JsonObject): JsonObject {
  const kept = readObject(existing["osProfile"], "properties.osProfile");
  const wanted = readOsProfile(properties);
  for (const name of ["adminUsername", "computerName"]) {
    checkUnchanged(`osProfile.${name}`, kept[name], wanted[name]);
  }
  return { ...kept, ...wanted };
}

/**
 * Checks that a request leaves a property as it is; a request that doesn't mention it does.
 * @throws AzureError 409 PropertyChangeNotAllowed, as in https://github.com/MicrosoftDocs/azure-docs/issues/12602
 */
export function checkUnchanged(target: string, kept: unknown, wanted: unknown): void {
  if (wanted === undefined || wanted === null) return;
  if (JSON.stringify(wanted) === JSON.stringify(kept)) return;
  throw new AzureError(
    409,
    "PropertyChangeNotAllowed",
    `Changing property '${target}' is not allowed.`,
    { target },
  );
}

/** The `osProfile` of a request without what no GET ever shows: password and custom data. */
function readOsProfile(properties: JsonObject): JsonObject {
  const profile = { ...readObject(properties["osProfile"], "properties.osProfile") };
  delete profile["adminPassword"];
  delete profile["customData"];
  return profile;
}

function checkComputerName(name: string): void {
  const isBad =
    name === "" ||
    name.length > MAX_COMPUTER_NAME_CHARS ||
    /^\d+$/.test(name) ||
    /[`~!@#$%^&*()=+_[\]{}\\|;:.'",<>/? ]/.test(name);
  if (!isBad) return;
  throw invalidParameter(
    "computerName",
    "Windows computer name cannot be more than 15 characters long, be entirely numeric, or contain the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] { } \\ | ; : . ' \" , < > / ?.",
  );
}

function checkUsername(name: string | undefined): void {
  if (name === undefined || name === "") throw missingParameter("adminUsername");
  if (
    name.length > MAX_USERNAME_CHARS ||
    name.endsWith(".") ||
    /[\\/"[\]:|<>+=;,?*@&]/.test(name)
  ) {
    throw invalidParameter(
      "adminUsername",
      `The Admin Username specified is invalid: at most ${MAX_USERNAME_CHARS} characters, not ending with ".", none of \\/"[]:|<>+=;,?*@&.`,
    );
  }
  if (FORBIDDEN_USERNAMES.includes(name.toLowerCase())) {
    throw invalidParameter("adminUsername", "The Admin Username specified is not allowed.");
  }
}
