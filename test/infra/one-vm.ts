import * as pulumi from "@pulumi/pulumi";
import { GROUP_ID, PASSWORD, SUBSCRIPTION_ID } from "./recorded-stack";

/** What most resources have. */
export const COMMON = {
  location: "northeurope",
  resourceGroupName: "resource-group",
  tags: { team: "identity" },
};

export const DENY_ALL_INBOUND = {
  name: "deny-all-inbound",
  priority: 4096,
  direction: "Inbound",
  access: "Deny",
  protocol: "*",
  sourceAddressPrefix: "*",
  sourcePortRange: "*",
  destinationAddressPrefix: "*",
  destinationPortRange: "*",
};

/** Names of resources, type and logical name, that tests change, add or leave out. */
export const GROUP = "azure-native:resources:ResourceGroup resource-group";
export const IDENTITY = "azure-native:managedidentity:UserAssignedIdentity identity";
export const SECURITY_GROUP = "azure-native:network:NetworkSecurityGroup security-group";
export const OUTBOUND_ADDRESS = "azure-native:network:PublicIPAddress outbound-address";
export const NAT_GATEWAY = "azure-native:network:NatGateway nat-gateway";
export const SUBNET = "azure-native:network:Subnet subnet";
export const NETWORK_INTERFACE = "azure-native:network:NetworkInterface network-interface";
export const VIRTUAL_MACHINE = "azure-native:compute:VirtualMachine windows-vm";
export const RUN_COMMAND = "azure-native:compute:VirtualMachineRunCommandByVirtualMachine verify";

/** The wire form of a secret. */
function asSecret(value: unknown): unknown {
  return { [pulumi.runtime.specialSigKey]: pulumi.runtime.specialSecretSig, value };
}

/** The inputs of a network interface, with a public address or without. */
export function networkInterface(publicAddress?: string): object {
  return {
    ...COMMON,
    ipConfigurations: [
      {
        name: "internal",
        primary: true,
        privateIPAllocationMethod: "Dynamic",
        subnet: { id: `${GROUP_ID}/providers/subnet` },
        ...(publicAddress !== undefined && {
          publicIPAddress: { id: `${GROUP_ID}/providers/${publicAddress}` },
        }),
      },
    ],
  };
}

/** The inputs of a VM. */
export function virtualMachine({
  name,
  networkInterface,
  identityId = `${GROUP_ID}/providers/identity`,
}: {
  name: string;
  networkInterface: string;
  identityId?: string;
}): object {
  return {
    ...COMMON,
    vmName: name,
    tags: { team: "identity", "identity-client-id": "client" },
    identity: { type: "UserAssigned", userAssignedIdentities: [identityId] },
    hardwareProfile: { vmSize: "Standard_D2s_v5" },
    osProfile: asSecret({
      computerName: name,
      adminUsername: "operator",
      adminPassword: PASSWORD,
      windowsConfiguration: {
        provisionVMAgent: true,
        enableAutomaticUpdates: true,
        patchSettings: { patchMode: "AutomaticByPlatform", assessmentMode: "AutomaticByPlatform" },
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
          id: `${GROUP_ID}/providers/${networkInterface}`,
          primary: true,
          deleteOption: "Detach",
        },
      ],
    },
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  };
}

/** The inputs of all resources of the stack with one VM, for the recorded settings. */
export const ONE_VM: Readonly<Record<string, object>> = {
  [GROUP]: { location: "northeurope", tags: COMMON.tags },
  [IDENTITY]: { ...COMMON, resourceName: "reader-identity" },
  [SECURITY_GROUP]: { ...COMMON, securityRules: [DENY_ALL_INBOUND] },
  [OUTBOUND_ADDRESS]: {
    ...COMMON,
    sku: { name: "Standard" },
    publicIPAllocationMethod: "Static",
  },
  [NAT_GATEWAY]: {
    ...COMMON,
    sku: { name: "Standard" },
    publicIpAddresses: [{ id: `${GROUP_ID}/providers/outbound-address` }],
  },
  "azure-native:network:VirtualNetwork virtual-network": {
    ...COMMON,
    addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
    // The SDK's own defaults.
    enableDdosProtection: false,
    enableVmProtection: false,
  },
  [SUBNET]: {
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
  [NETWORK_INTERFACE]: networkInterface(),
  "azure-native:authorization:RoleAssignment reader-on-resource-group": {
    scope: GROUP_ID,
    principalId: "principal",
    principalType: "ServicePrincipal",
    roleDefinitionId: `/subscriptions/${SUBSCRIPTION_ID}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`,
  },
  [VIRTUAL_MACHINE]: virtualMachine({ name: "vm-1", networkInterface: "network-interface" }),
};
