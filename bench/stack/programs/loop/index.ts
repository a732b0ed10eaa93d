/**
 * What this repository's program is measured against as the number of VMs grows: the same resources
 * with the same arguments, declared by a bare loop in one file. What grows here too is the engine's.
 */
import * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as network from "@pulumi/azure-native/network";
import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const location = "westeurope";
const tags = { environment: "dev", project: "azure-managed-identity-windows-vm" };

const resourceGroup = new resources.ResourceGroup("resource-group", { location, tags });
const common = { resourceGroupName: resourceGroup.name, location, tags };

const identity = new managedidentity.UserAssignedIdentity("identity", {
  ...common,
  resourceName: "windows-vm-identity",
});

const securityGroup = new network.NetworkSecurityGroup("security-group", {
  ...common,
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
});

const outboundAddress = new network.PublicIPAddress("outbound-address", {
  ...common,
  sku: { name: "Standard" },
  publicIPAllocationMethod: "Static",
});

const natGateway = new network.NatGateway("nat-gateway", {
  ...common,
  sku: { name: "Standard" },
  publicIpAddresses: [{ id: outboundAddress.id }],
});

const virtualNetwork = new network.VirtualNetwork("virtual-network", {
  ...common,
  addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
});

const subnet = new network.Subnet("subnet", {
  resourceGroupName: resourceGroup.name,
  virtualNetworkName: virtualNetwork.name,
  addressPrefix: "10.0.0.0/24",
  defaultOutboundAccess: false,
  natGateway: { id: natGateway.id },
  networkSecurityGroup: { id: securityGroup.id },
});

new authorization.RoleAssignment("reader-on-resource-group", {
  scope: resourceGroup.id,
  principalId: identity.principalId,
  principalType: "ServicePrincipal",
  roleDefinitionId: resourceGroup.id.apply(
    (id) =>
      `${id.split("/resourceGroups/")[0] ?? ""}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`,
  ),
});

const adminPassword = config.requireSecret("adminPassword");
for (let place = 1; place <= config.requireNumber("vmCount"); place++) {
  const networkInterface = new network.NetworkInterface(`network-interface-${place}`, {
    ...common,
    ipConfigurations: [
      {
        name: "internal",
        primary: true,
        privateIPAllocationMethod: "Dynamic",
        subnet: { id: subnet.id },
      },
    ],
  });
  new compute.VirtualMachine(`windows-vm-${place}`, {
    ...common,
    vmName: `windows-vm-${place}`,
    tags: { ...tags, "identity-client-id": identity.clientId },
    identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
    hardwareProfile: { vmSize: "Standard_B2s_v2" },
    osProfile: {
      computerName: `windows-vm-${place}`,
      adminUsername: "vmadmin",
      adminPassword,
      windowsConfiguration: {
        provisionVMAgent: true,
        enableAutomaticUpdates: true,
        patchSettings: {
          patchMode: "AutomaticByPlatform",
          assessmentMode: "AutomaticByPlatform",
        },
      },
    },
    securityProfile: {
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    },
    storageProfile: {
      imageReference: {
        publisher: "MicrosoftWindowsServer",
        offer: "WindowsServer",
        sku: "2025-datacenter-azure-edition",
        version: "latest",
      },
      osDisk: {
        createOption: "FromImage",
        deleteOption: "Delete",
        managedDisk: { storageAccountType: "StandardSSD_LRS" },
      },
    },
    networkProfile: {
      networkInterfaces: [{ id: networkInterface.id, primary: true, deleteOption: "Detach" }],
    },
    diagnosticsProfile: { bootDiagnostics: { enabled: true } },
  });
}
