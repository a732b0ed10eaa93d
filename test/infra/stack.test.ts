import * as pulumi from "@pulumi/pulumi";
import { beforeAll, describe, expect, test } from "vitest";
import { runIndexTs } from "../../local/program";

const PROJECT = "azure-managed-identity-windows-vm";
const PASSWORD = "correct-Horse-7-battery";
const GROUP_ID = "/subscriptions/5b1e0a9c/resourceGroups/resource-group";

/** The wire form of a secret. */
function asSecret(value: unknown): unknown {
  return { [pulumi.runtime.specialSigKey]: pulumi.runtime.specialSecretSig, value };
}

/** Runs index.ts with recorded resources; a call that it isn't known to make fails. */
async function record(config: Record<string, string>): Promise<{
  resources: Map<string, unknown>;
  outputs: Record<string, unknown>;
}> {
  const resources = new Map<string, unknown>();
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        resources.set(`${type} ${name}`, inputs);
        const id = name === "resource-group" ? GROUP_ID : `${GROUP_ID}/providers/${name}`;
        const computed = { name, clientId: "client", principalId: "principal", tenantId: "tenant" };
        return { id, state: { ...computed, ...(inputs as object) } };
      },
      call({ token }) {
        throw new Error(`unexpected call of ${token}`);
      },
    },
    PROJECT,
    "test",
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value])),
    [`${PROJECT}:adminPassword`],
  );
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(runIndexTs())) {
    outputs[name] = await new Promise((resolve) => {
      pulumi.all([output]).apply(([value]) => {
        resolve(value);
      });
    });
  }
  return { resources, outputs };
}

const COMMON = {
  location: "northeurope",
  resourceGroupName: "resource-group",
  tags: { team: "identity" },
};

describe("index.ts", () => {
  let resources: Map<string, unknown>;
  let outputs: Record<string, unknown>;
  beforeAll(async () => {
    ({ resources, outputs } = await record({
      location: "northeurope",
      identityName: "reader-identity",
      vmName: "vm-1",
      vmSize: "Standard_D2s_v5",
      imageSku: "2022-datacenter-azure-edition",
      adminUsername: "operator",
      adminPassword: PASSWORD,
      tags: JSON.stringify({ team: "identity" }),
    }));
  });

  test.each([
    [
      "azure-native:resources:ResourceGroup resource-group",
      { location: "northeurope", tags: COMMON.tags },
    ],
    [
      "azure-native:managedidentity:UserAssignedIdentity identity",
      { ...COMMON, resourceName: "reader-identity" },
    ],
    [
      "azure-native:network:NetworkSecurityGroup security-group",
      {
        ...COMMON,
        securityRules: [
          {
            name: "deny-all-inbound",
            priority: 4096,
            direction: "Inbound",
            access: "Deny",
            protocol: "*",
            sourceAddressPrefix: "*",
            sourcePortRange: "*",
            destinationAddressPrefix: "*",
            destinationPortRange: "*",
          },
        ],
      },
    ],
    [
      "azure-native:network:PublicIPAddress outbound-address",
      { ...COMMON, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" },
    ],
    [
      "azure-native:network:NatGateway nat-gateway",
      {
        ...COMMON,
        sku: { name: "Standard" },
        publicIpAddresses: [{ id: `${GROUP_ID}/providers/outbound-address` }],
      },
    ],
    [
      "azure-native:network:VirtualNetwork virtual-network",
      {
        ...COMMON,
        addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
        // The SDK's own defaults.
        enableDdosProtection: false,
        enableVmProtection: false,
      },
    ],
    [
      "azure-native:network:Subnet subnet",
      {
        resourceGroupName: "resource-group",
        virtualNetworkName: "virtual-network",
        addressPrefix: "10.0.0.0/24",
        defaultOutboundAccess: false,
        natGateway: { id: `${GROUP_ID}/providers/nat-gateway` },
        networkSecurityGroup: { id: `${GROUP_ID}/providers/security-group` },
        // The SDK's own defaults.
        privateEndpointNetworkPolicies: "Disabled",
        privateLinkServiceNetworkPolicies: "Enabled",
      },
    ],
    [
      "azure-native:network:NetworkInterface network-interface",
      {
        ...COMMON,
        ipConfigurations: [
          {
            name: "internal",
            primary: true,
            privateIPAllocationMethod: "Dynamic",
            subnet: { id: `${GROUP_ID}/providers/subnet` },
          },
        ],
      },
    ],
    [
      "azure-native:authorization:RoleAssignment reader-on-resource-group",
      {
        scope: GROUP_ID,
        principalId: "principal",
        principalType: "ServicePrincipal",
        roleDefinitionId:
          "/subscriptions/5b1e0a9c/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
      },
    ],
    [
      "azure-native:compute:VirtualMachine windows-vm",
      {
        ...COMMON,
        vmName: "vm-1",
        tags: { team: "identity", "identity-client-id": "client" },
        identity: {
          type: "UserAssigned",
          userAssignedIdentities: [`${GROUP_ID}/providers/identity`],
        },
        hardwareProfile: { vmSize: "Standard_D2s_v5" },
        osProfile: asSecret({
          computerName: "vm-1",
          adminUsername: "operator",
          adminPassword: PASSWORD,
          windowsConfiguration: {
            provisionVMAgent: true,
            enableAutomaticUpdates: true,
            patchSettings: {
              patchMode: "AutomaticByPlatform",
              assessmentMode: "AutomaticByPlatform",
            },
          },
        }),
        securityProfile: {
          securityType: "TrustedLaunch",
          uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
        },
        storageProfile: {
          imageReference: {
            publisher: "MicrosoftWindowsServer",
            offer: "WindowsServer",
            sku: "2022-datacenter-azure-edition",
            version: "latest",
          },
          osDisk: {
            createOption: "FromImage",
            deleteOption: "Delete",
            managedDisk: { storageAccountType: "StandardSSD_LRS" },
          },
        },
        networkProfile: {
          networkInterfaces: [
            {
              id: `${GROUP_ID}/providers/network-interface`,
              primary: true,
              deleteOption: "Detach",
            },
          ],
        },
        diagnosticsProfile: { bootDiagnostics: { enabled: true } },
      },
    ],
  ])("declares %s", (resource, inputs) => {
    expect(resources.get(resource)).toEqual(inputs);
  });

  test("declares nothing else", () => {
    expect(resources.size).toBe(10);
  });

  test("has outputs for all that a person needs next, and no password", () => {
    expect(outputs).toEqual({
      resourceGroupName: "resource-group",
      resourceGroupId: GROUP_ID,
      identityName: "identity",
      identityId: `${GROUP_ID}/providers/identity`,
      identityClientId: "client",
      identityPrincipalId: "principal",
      identityTenantId: "tenant",
      vmName: "windows-vm",
      vmId: `${GROUP_ID}/providers/windows-vm`,
      role: "Reader",
      roleAssignmentId: `${GROUP_ID}/providers/reader-on-resource-group`,
      roleAssignmentScope: GROUP_ID,
      verifyCommand:
        "node verify.js --client-id client --subscription-id 5b1e0a9c --resource-group resource-group",
    });
  });
});
