import { POLLING } from "./clients";
import { defineKind, RESOURCE_GROUP_PATH, type ResourceKind } from "./resource-kind";

const API_VERSION = "2024-05-01";

/** Microsoft.Network, by type token. */
export const NETWORK_KINDS: Record<string, ResourceKind> = {
  "azure-native:network:VirtualNetwork": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}`,
    apiVersion: API_VERSION,
    nameKey: "virtualNetworkName",
    autoNaming: "random",
    bodyInputs: [
      "addressSpace",
      "bgpCommunities",
      "ddosProtectionPlan",
      "dhcpOptions",
      "enableDdosProtection",
      "enableVmProtection",
      "encryption",
      "extendedLocation",
      "flowTimeoutInMinutes",
      "id",
      "ipAllocations",
      "location",
      "privateEndpointVNetPolicies",
      "subnets",
      "tags",
      "virtualNetworkPeerings",
    ],
    required: [],
    forceNew: ["location"],
    readOnly: ["subnets[].ipConfigurations"],
    maintained: ["subnets", "virtualNetworkPeerings"],
    put: (c, k, body) =>
      c.network.virtualNetworks.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.virtualNetworkName,
        body,
        POLLING,
      ),
    get: (c, k) => c.network.virtualNetworks.get(k.resourceGroupName, k.virtualNetworkName),
    delete: (c, k) =>
      c.network.virtualNetworks.beginDeleteAndWait(
        k.resourceGroupName,
        k.virtualNetworkName,
        POLLING,
      ),
  }),

  "azure-native:network:Subnet": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}`,
    apiVersion: API_VERSION,
    nameKey: "subnetName",
    autoNaming: "exact",
    bodyInputs: [
      "addressPrefix",
      "addressPrefixes",
      "applicationGatewayIPConfigurations",
      "defaultOutboundAccess",
      "delegations",
      "id",
      "ipAllocations",
      "ipamPoolPrefixAllocations",
      "name",
      "natGateway",
      "networkSecurityGroup",
      "privateEndpointNetworkPolicies",
      "privateLinkServiceNetworkPolicies",
      "routeTable",
      "serviceEndpointPolicies",
      "serviceEndpoints",
      "sharingScope",
      "type",
    ],
    required: [],
    forceNew: [],
    put: (c, k, body) =>
      c.network.subnets.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.virtualNetworkName,
        k.subnetName,
        body,
        POLLING,
      ),
    get: (c, k) => c.network.subnets.get(k.resourceGroupName, k.virtualNetworkName, k.subnetName),
    delete: (c, k) =>
      c.network.subnets.beginDeleteAndWait(
        k.resourceGroupName,
        k.virtualNetworkName,
        k.subnetName,
        POLLING,
      ),
  }),

  "azure-native:network:NetworkSecurityGroup": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/networkSecurityGroups/{networkSecurityGroupName}`,
    apiVersion: API_VERSION,
    nameKey: "networkSecurityGroupName",
    autoNaming: "random",
    bodyInputs: ["flushConnection", "id", "location", "securityRules", "tags"],
    required: [],
    forceNew: [],
    maintained: ["securityRules"],
    put: (c, k, body) =>
      c.network.networkSecurityGroups.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.networkSecurityGroupName,
        body,
        POLLING,
      ),
    get: (c, k) =>
      c.network.networkSecurityGroups.get(k.resourceGroupName, k.networkSecurityGroupName),
    delete: (c, k) =>
      c.network.networkSecurityGroups.beginDeleteAndWait(
        k.resourceGroupName,
        k.networkSecurityGroupName,
        POLLING,
      ),
  }),

  "azure-native:network:PublicIPAddress": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/publicIPAddresses/{publicIpAddressName}`,
    apiVersion: API_VERSION,
    nameKey: "publicIpAddressName",
    autoNaming: "random",
    bodyInputs: [
      "ddosSettings",
      "deleteOption",
      "dnsSettings",
      "extendedLocation",
      "id",
      "idleTimeoutInMinutes",
      "ipAddress",
      "ipTags",
      "linkedPublicIPAddress",
      "location",
      "migrationPhase",
      "natGateway",
      "publicIPAddressVersion",
      "publicIPAllocationMethod",
      "publicIPPrefix",
      "servicePublicIPAddress",
      "sku",
      "tags",
      "zones",
    ],
    required: [],
    forceNew: ["location", "publicIPAddressVersion", "publicIPPrefix", "sku"],
    put: (c, k, body) =>
      c.network.publicIPAddresses.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.publicIpAddressName,
        body,
        POLLING,
      ),
    get: (c, k) => c.network.publicIPAddresses.get(k.resourceGroupName, k.publicIpAddressName),
    delete: (c, k) =>
      c.network.publicIPAddresses.beginDeleteAndWait(
        k.resourceGroupName,
        k.publicIpAddressName,
        POLLING,
      ),
  }),

  "azure-native:network:NatGateway": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/natGateways/{natGatewayName}`,
    apiVersion: API_VERSION,
    nameKey: "natGatewayName",
    autoNaming: "random",
    bodyInputs: [
      "id",
      "idleTimeoutInMinutes",
      "location",
      "publicIpAddresses",
      "publicIpPrefixes",
      "sku",
      "tags",
      "zones",
    ],
    required: [],
    forceNew: [],
    put: (c, k, body) =>
      c.network.natGateways.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.natGatewayName,
        body,
        POLLING,
      ),
    get: (c, k) => c.network.natGateways.get(k.resourceGroupName, k.natGatewayName),
    delete: (c, k) =>
      c.network.natGateways.beginDeleteAndWait(k.resourceGroupName, k.natGatewayName, POLLING),
  }),

  "azure-native:network:NetworkInterface": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Network/networkInterfaces/{networkInterfaceName}`,
    apiVersion: API_VERSION,
    nameKey: "networkInterfaceName",
    autoNaming: "random",
    bodyInputs: [
      "auxiliaryMode",
      "auxiliarySku",
      "disableTcpStateTracking",
      "dnsSettings",
      "enableAcceleratedNetworking",
      "enableIPForwarding",
      "extendedLocation",
      "id",
      "ipConfigurations",
      "location",
      "migrationPhase",
      "networkSecurityGroup",
      "nicType",
      "privateLinkService",
      "tags",
      "workloadType",
    ],
    required: [],
    forceNew: [],
    put: (c, k, body) =>
      c.network.networkInterfaces.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.networkInterfaceName,
        body,
        POLLING,
      ),
    get: (c, k) => c.network.networkInterfaces.get(k.resourceGroupName, k.networkInterfaceName),
    delete: (c, k) =>
      c.network.networkInterfaces.beginDeleteAndWait(
        k.resourceGroupName,
        k.networkInterfaceName,
        POLLING,
      ),
  }),
};
