import { readFileSync } from "node:fs";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { type Settings, loadSettings } from "../../infra/config";
import { DEFAULT_IDENTITY_NAME } from "../../infra/rules";
import { REPOSITORY } from "../../local/program";

const SUBSCRIPTION = "/subscriptions/5b1e0a9c-0000-4000-8000-000000000001";
const IDENTITY_ID = `${SUBSCRIPTION}/resourceGroups/tutorial/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared`;

/** All that has no default in the program. */
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
function load(config: Record<string, string | undefined>, scriptFile?: string): Settings {
  const present = Object.entries(config).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(present.map(([name, value]) => [`project:${name}`, value])),
    ["project:adminPassword"],
  );
  return loadSettings(new pulumi.Config("project"), scriptFile);
}

/** The message that refuses a configuration. */
function getRefusal(config: Record<string, string | undefined>, scriptFile?: string): string {
  try {
    load(config, scriptFile);
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) return error.message;
    throw error;
  }
  throw new Error("the settings were accepted");
}

test("reads every setting, the password as a secret", async () => {
  const { adminPassword, ...plain } = load(
    {
      ...VALID,
      resourceGroupId: `${SUBSCRIPTION}/resourceGroups/tutorial`,
      identityId: IDENTITY_ID,
      vmCount: "3",
      allowRdpFrom: '["203.0.113.0/24"]',
      verifyOnDeploy: "true",
    },
    __filename,
  );
  expect(plain).toEqual({
    location: VALID.location,
    resourceGroupId: `${SUBSCRIPTION}/resourceGroups/tutorial`,
    identityName: VALID.identityName,
    identityId: IDENTITY_ID,
    vmName: VALID.vmName,
    vmCount: 3,
    vmSize: VALID.vmSize,
    imageSku: VALID.imageSku,
    adminUsername: VALID.adminUsername,
    allowRdpFrom: ["203.0.113.0/24"],
    verifyScript: readFileSync(__filename, "utf8"),
    tags: { environment: "dev" },
  });
  expect(await pulumi.isSecret(adminPassword)).toBe(true);
  expect(await new Promise((resolve) => adminPassword.apply(resolve))).toBe(VALID.adminPassword);
});

test.each([
  { what: "missing", more: { tags: undefined } },
  {
    what: "as in Pulumi.yaml",
    more: {
      resourceGroupId: "",
      identityId: "",
      vmCount: "1",
      allowRdpFrom: "[]",
      verifyOnDeploy: "false",
      tags: "{}",
    },
  },
])("settings that nobody needs may be $what", ({ more }) => {
  expect(load({ ...VALID, ...more }, "no such file")).toMatchObject({
    resourceGroupId: undefined,
    identityId: undefined,
    vmCount: 1,
    allowRdpFrom: [],
    verifyScript: undefined,
    tags: {},
  });
});

test.each([
  ["location", "West Europe", "pulumi config set location <value>"],
  ["identityName", "my_identity", "pulumi config set identityName <value>"],
  ["vmName", "12345", "pulumi config set vmName <value>"],
  ["vmSize", "big", "pulumi config set vmSize <value>"],
  ["imageSku", "Windows 11", "pulumi config set imageSku <value>"],
  ["adminUsername", "administrator", "pulumi config set adminUsername <value>"],
  ["tags", '{"a/b":"c"}', "pulumi config set --path --type string tags.<name> <value>"],
  ["tags", "environment=dev", "pulumi config set --path --type string tags.<name> <value>"],
  ["vmCount", "many", "pulumi config set vmCount <value>"],
  ["vmCount", "0", "pulumi config set vmCount <value>"],
  ["allowRdpFrom", '["*"]', "pulumi config set --path 'allowRdpFrom[0]' <block>"],
  ["allowRdpFrom", "203.0.113.0/24", "pulumi config set --path 'allowRdpFrom[0]' <block>"],
  ["verifyOnDeploy", "perhaps", "pulumi config set verifyOnDeploy <value>"],
  ["resourceGroupId", "tutorial", "pulumi config set resourceGroupId <value>"],
  ["identityId", "shared", "pulumi config set identityId <value>"],
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

test("refuses VM names that get too long by their number", () => {
  expect(load({ ...VALID, vmName: "windows-server", vmCount: "1" }).vmCount).toBe(1);
  expect(getRefusal({ ...VALID, vmName: "windows-server", vmCount: "10" })).toContain(
    '  vmName makes "windows-server-10" the name of VM 10, which has 17 characters',
  );
});

test("a wrong number of VMs makes no name wrong", () => {
  expect(getRefusal({ ...VALID, vmCount: "1000000" }).match(/fix: /g)).toHaveLength(1);
});

test("refuses to prove access with a script that isn't built, and tells the command that builds it", () => {
  const message = getRefusal({ ...VALID, verifyOnDeploy: "true" }, "/no/such/verify.ps1");
  expect(message).toContain("  verifyOnDeploy needs /no/such/verify.ps1, which isn't there\n");
  expect(message).toContain("fix: npm run build");
});

test("refuses a name for the identity together with the id of an existing one", () => {
  expect(
    getRefusal({ ...VALID, identityId: IDENTITY_ID, identityName: "other-identity" }),
  ).toContain('identityName is "other-identity", but identityId says to use "shared"');
});

test("tells all wrong settings at once, once each", () => {
  const message = getRefusal({
    location: "",
    resourceGroupId: "tutorial",
    identityName: "my_identity",
    identityId: "shared",
    vmName: "vm_1",
    vmCount: "many",
    vmSize: "big",
    imageSku: "Windows 11",
    adminUsername: "administrator",
    adminPassword: "short",
    allowRdpFrom: '["*"]',
    verifyOnDeploy: "perhaps",
    tags: "[]",
  });
  expect(message.match(/fix: /g)).toHaveLength(13);
});

test("the default name of the identity is that of Pulumi.yaml", () => {
  const project = readFileSync(path.join(REPOSITORY, "Pulumi.yaml"), "utf8");
  const [, name] = /^ {2}identityName:$(?:\n {4}.*)*?\n {4}default: (.*)$/m.exec(project) ?? [];
  expect(name).toBe(DEFAULT_IDENTITY_NAME);
});
