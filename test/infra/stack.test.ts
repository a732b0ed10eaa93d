import { readFileSync } from "node:fs";
import * as path from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "../../local/program";
import {
  COMMON,
  DENY_ALL_INBOUND,
  GROUP,
  IDENTITY,
  NAT_GATEWAY,
  NETWORK_INTERFACE,
  ONE_VM,
  OUTBOUND_ADDRESS,
  RUN_COMMAND,
  SECURITY_GROUP,
  SUBNET,
  VIRTUAL_MACHINE,
  networkInterface,
  virtualMachine,
} from "./one-vm";
import { GROUP_ID, PASSWORD, SETTINGS, SUBSCRIPTION_ID, recordStack } from "./recorded-stack";

const OTHER_GROUP_ID = `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/tutorial`;
const OTHER_IDENTITY_ID =
  "/subscriptions/5b1e0a9c-0000-4000-8000-000000000002/resourceGroups/identities" +
  "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared";

/** Without the named entries, and with others added or changed. */
function change(
  resources: Readonly<Record<string, unknown>>,
  removed: readonly string[],
  changed: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const kept = Object.entries(resources).filter(([name]) => !removed.includes(name));
  return { ...Object.fromEntries(kept), ...changed };
}

test("one VM", async () => {
  const { resources, calls, outputs } = await recordStack();
  expect(resources).toEqual(ONE_VM);
  expect(calls).toEqual([]);
  expect(outputs).toStrictEqual({
    resourceGroupName: "resource-group",
    resourceGroupId: GROUP_ID,
    identityName: "identity",
    identityId: `${GROUP_ID}/providers/identity`,
    identityClientId: "client",
    identityPrincipalId: "principal",
    identityTenantId: "tenant",
    vmName: "windows-vm",
    vmId: `${GROUP_ID}/providers/windows-vm`,
    vmIds: { "vm-1": `${GROUP_ID}/providers/windows-vm` },
    publicAddresses: {},
    role: "Reader",
    roleAssignmentId: `${GROUP_ID}/providers/reader-on-resource-group`,
    roleAssignmentScope: GROUP_ID,
    verifyCommand: "node verify.js",
    verifyResults: {},
  });
});

test("five VMs: four more of what each has, and nothing else", async () => {
  const { resources, outputs } = await recordStack({ ...SETTINGS, vmCount: "5" });
  const more = [2, 3, 4, 5].flatMap((place) => [
    [`${NETWORK_INTERFACE}-${place}`, networkInterface()],
    [
      `${VIRTUAL_MACHINE}-${place}`,
      virtualMachine({ name: `vm-1-${place}`, networkInterface: `network-interface-${place}` }),
    ],
  ]);
  expect(resources).toEqual({ ...ONE_VM, ...Object.fromEntries(more) });
  expect(outputs.vmId).toBe(`${GROUP_ID}/providers/windows-vm`);
  expect(outputs.vmIds).toEqual({
    "vm-1": `${GROUP_ID}/providers/windows-vm`,
    "vm-1-2": `${GROUP_ID}/providers/windows-vm-2`,
    "vm-1-3": `${GROUP_ID}/providers/windows-vm-3`,
    "vm-1-4": `${GROUP_ID}/providers/windows-vm-4`,
    "vm-1-5": `${GROUP_ID}/providers/windows-vm-5`,
  });
});

test("Remote Desktop: a public address for each VM, rules for exactly the given blocks, no NAT gateway", async () => {
  const blocks = ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32"];
  const { resources, outputs } = await recordStack({
    ...SETTINGS,
    vmCount: "2",
    allowRdpFrom: JSON.stringify(blocks),
  });
  const rule = {
    direction: "Inbound",
    access: "Allow",
    protocol: "Tcp",
    sourcePortRange: "*",
    destinationAddressPrefix: "*",
    destinationPortRange: "3389",
  };
  expect(resources).toEqual(
    change(ONE_VM, [NAT_GATEWAY, OUTBOUND_ADDRESS], {
      [SUBNET]: change({ ...ONE_VM[SUBNET] }, ["natGateway"], {}),
      [SECURITY_GROUP]: {
        ...COMMON,
        securityRules: [
          {
            ...rule,
            name: "allow-rdp",
            priority: 100,
            sourceAddressPrefixes: ["203.0.113.0/24", "198.51.100.7/32"],
          },
          {
            ...rule,
            name: "allow-rdp-ipv6",
            priority: 101,
            sourceAddressPrefixes: ["2001:db8::/32"],
          },
          DENY_ALL_INBOUND,
        ],
      },
      "azure-native:network:PublicIPAddress public-address": ONE_VM[OUTBOUND_ADDRESS],
      "azure-native:network:PublicIPAddress public-address-2": ONE_VM[OUTBOUND_ADDRESS],
      [NETWORK_INTERFACE]: networkInterface("public-address"),
      [`${NETWORK_INTERFACE}-2`]: networkInterface("public-address-2"),
      [`${VIRTUAL_MACHINE}-2`]: virtualMachine({
        name: "vm-1-2",
        networkInterface: "network-interface-2",
      }),
    }),
  );
  expect(outputs.publicAddresses).toEqual({
    "vm-1": "ip-of-public-address",
    "vm-1-2": "ip-of-public-address-2",
  });
});

test("an existing resource group: everything goes into it, it isn't a resource of the stack", async () => {
  const { resources, outputs } = await recordStack({
    ...SETTINGS,
    resourceGroupId: OTHER_GROUP_ID,
  });
  // The ids of what the stack makes are the recorder's own, and as before.
  const expected = Object.entries(change(ONE_VM, [GROUP], {})).map(([name, inputs]) => [
    name,
    {
      ...(inputs as object),
      ...("resourceGroupName" in (inputs as object) && { resourceGroupName: "tutorial" }),
      ...("scope" in (inputs as object) && { scope: OTHER_GROUP_ID }),
    },
  ]);
  expect(resources).toEqual(Object.fromEntries(expected));
  expect(outputs).toMatchObject({
    resourceGroupName: "tutorial",
    resourceGroupId: OTHER_GROUP_ID,
    roleAssignmentScope: OTHER_GROUP_ID,
  });
});

test("an existing identity: it's read, wherever it is, and not a new one is made", async () => {
  const { resources, outputs } = await recordStack({
    ...SETTINGS,
    identityName: "windows-vm-identity",
    identityId: OTHER_IDENTITY_ID,
  });
  expect(resources).toEqual(
    change(ONE_VM, [IDENTITY], {
      "azure-native:managedidentity:UserAssignedIdentity existing-identity": {
        read: OTHER_IDENTITY_ID,
      },
      [VIRTUAL_MACHINE]: virtualMachine({
        name: "vm-1",
        networkInterface: "network-interface",
        identityId: OTHER_IDENTITY_ID,
      }),
    }),
  );
  expect(outputs).toMatchObject({ identityId: OTHER_IDENTITY_ID, identityClientId: "client" });
});

test("proof on deployment: each VM runs verify, which is another script for another VM, identity or role", async () => {
  const { resources, calls, outputs } = await recordStack({
    ...SETTINGS,
    vmCount: "2",
    verifyOnDeploy: "true",
  });
  const script = readFileSync(path.join(REPOSITORY, "dist", "verify.ps1"), "utf8");
  const runCommand = (vmName: string, vm: string): object => ({
    ...COMMON,
    vmName,
    runCommandName: "verify",
    source: {
      script: `${script}\n# VM unique-id-of-${vm}, identity client (principal principal), role assignment ${GROUP_ID}/providers/reader-on-resource-group\n`,
    },
    asyncExecution: false,
    timeoutInSeconds: 1800,
    treatFailureAsDeploymentFailure: true,
  });
  expect(resources).toEqual({
    ...ONE_VM,
    [`${NETWORK_INTERFACE}-2`]: networkInterface(),
    [`${VIRTUAL_MACHINE}-2`]: virtualMachine({
      name: "vm-1-2",
      networkInterface: "network-interface-2",
    }),
    [RUN_COMMAND]: runCommand("vm-1", "windows-vm"),
    [`${RUN_COMMAND}-2`]: runCommand("vm-1-2", "windows-vm-2"),
  });
  const call = {
    token: "azure-native:compute:getVirtualMachineRunCommandByVirtualMachine",
    resourceGroupName: "resource-group",
    expand: "instanceView",
  };
  expect(new Set(calls)).toEqual(
    new Set([
      { ...call, vmName: "vm-1", runCommandName: "verify" },
      { ...call, vmName: "vm-1-2", runCommandName: "verify-2" },
    ]),
  );
  const result = { state: "Succeeded", exitCode: 0, output: "[ ok ]" };
  expect(outputs.verifyResults).toEqual({ "vm-1": result, "vm-1-2": result });
});

const SHAPES: Record<string, string>[] = [
  {},
  { vmCount: "2", verifyOnDeploy: "true" },
  { allowRdpFrom: '["203.0.113.0/24"]' },
];

test.each(SHAPES)("no password is among the outputs with %j", async (shape) => {
  const { outputs } = await recordStack({ ...SETTINGS, ...shape });
  expect(JSON.stringify(outputs)).not.toContain(PASSWORD);
});

test("everything that takes tags has them", async () => {
  const { resources } = await recordStack({ ...SETTINGS, verifyOnDeploy: "true" });
  const untagged = Object.entries(resources).filter(
    ([, inputs]) => (inputs as { tags?: { team?: string } }).tags?.team !== "identity",
  );
  expect(untagged.map(([name]) => name).sort()).toEqual([
    "azure-native:authorization:RoleAssignment reader-on-resource-group",
    "azure-native:network:Subnet subnet",
  ]);
});
