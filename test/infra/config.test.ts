import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { type Settings, loadSettings } from "../../infra/config";

const VALID = {
  location: "westeurope",
  identityName: "windows-vm-identity",
  vmName: "windows-vm",
  vmSize: "Standard_B2s_v2",
  imageSku: "2025-datacenter-azure-edition",
  adminUsername: "vmadmin",
  adminPassword: "correct-Horse-7-battery",
  tags: '{"environment":"dev"}',
};

/** Loads settings as a program of the stack `dev` would, from its configuration's plain text. */
function load(config: Record<string, string | undefined>): Settings {
  const present = Object.entries(config).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(present.map(([name, value]) => [`project:${name}`, value])),
    ["project:adminPassword"],
  );
  return loadSettings(new pulumi.Config("project"));
}

/** The message that refuses a configuration. */
function getRefusal(config: Record<string, string | undefined>): string {
  try {
    load(config);
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) return error.message;
    throw error;
  }
  throw new Error("the settings were accepted");
}

test("reads every setting, the password as a secret", async () => {
  const { adminPassword, ...plain } = load(VALID);
  expect(plain).toEqual({
    location: VALID.location,
    identityName: VALID.identityName,
    vmName: VALID.vmName,
    vmSize: VALID.vmSize,
    imageSku: VALID.imageSku,
    adminUsername: VALID.adminUsername,
    tags: { environment: "dev" },
  });
  expect(await pulumi.isSecret(adminPassword)).toBe(true);
  expect(await new Promise((resolve) => adminPassword.apply(resolve))).toBe(VALID.adminPassword);
});

test("needs no tags", () => {
  expect(load({ ...VALID, tags: undefined }).tags).toEqual({});
});

test.each([
  ["location", "West Europe", "pulumi config set location <value>"],
  ["identityName", "my_identity", "pulumi config set identityName <value>"],
  ["vmName", "12345", "pulumi config set vmName <value>"],
  ["vmSize", "big", "pulumi config set vmSize <value>"],
  ["imageSku", "Windows 11", "pulumi config set imageSku <value>"],
  ["adminUsername", "administrator", "pulumi config set adminUsername <value>"],
  ["tags", '{"a/b":"c"}', "pulumi config set --path tags.<name> <value>"],
])("refuses a wrong %s with the command that fixes it", (name, value, command) => {
  const message = getRefusal({ ...VALID, [name]: value });
  expect(message).toContain(`  ${name} `);
  expect(message).toContain(command);
});

test.each(Object.keys(VALID).filter((name) => name !== "tags"))("refuses a missing %s", (name) => {
  expect(getRefusal({ ...VALID, [name]: undefined })).toContain(`  ${name} is not set\n`);
});

test("refuses a wrong password without repeating it", () => {
  const message = getRefusal({ ...VALID, adminPassword: "only-lower-case-letters" });
  expect(message).toContain("adminPassword lacks an upper-case letter and a digit");
  expect(message).toContain("pulumi config set --secret adminPassword");
  expect(message).not.toContain("only-lower-case-letters");
});

test("tells all wrong settings at once", () => {
  const message = getRefusal({ ...VALID, vmName: "vm_1", adminPassword: "short", location: "" });
  expect(message.match(/fix: /g)).toHaveLength(3);
});
