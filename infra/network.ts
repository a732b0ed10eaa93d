import * as network from "@pulumi/azure-native/network";
import type * as resources from "@pulumi/azure-native/resources";
import type { Settings } from "./config";

const ADDRESS_SPACE = "10.0.0.0/24";

/**
 * The VM's network: no way in, and one explicit way out, through which the VM reaches Azure Resource
 * Manager. The Instance Metadata Service needs no way out: it answers on the VM's own host.
 *
 * @returns the network interface for the VM; it has no public address
 */
export function createNetwork(
  settings: Settings,
  resourceGroup: resources.ResourceGroup,
): network.NetworkInterface {
  const common = {
    resourceGroupName: resourceGroup.name,
    location: settings.location,
    tags: settings.tags,
  };

  // Azure's default rules let the rest of the virtual network in; this one lets nothing in.
  const securityGroup = new network.NetworkSecurityGroup("security-group", {
    ...common,
    securityRules: [
      {
        name: "deny-all-inbound",
        priority: 4096,
        direction: network.SecurityRuleDirection.Inbound,
        access: network.SecurityRuleAccess.Deny,
        protocol: network.SecurityRuleProtocol.Asterisk,
        sourceAddressPrefix: "*",
        sourcePortRange: "*",
        destinationAddressPrefix: "*",
        destinationPortRange: "*",
      },
    ],
  });

  // The address that the VM's requests come from.
  const outboundAddress = new network.PublicIPAddress(
    "outbound-address",
    {
      ...common,
      sku: { name: network.PublicIPAddressSkuName.Standard },
      publicIPAllocationMethod: network.IPAllocationMethod.Static,
    },
    // Azure sets it once the NAT gateway takes the address; after a refresh it would look like drift.
    { ignoreChanges: ["natGateway"] },
  );

  // The one way out: a NAT gateway takes connections from inside only.
  const natGateway = new network.NatGateway("nat-gateway", {
    ...common,
    sku: { name: network.NatGatewaySkuName.Standard },
    publicIpAddresses: [{ id: outboundAddress.id }],
  });

  const virtualNetwork = new network.VirtualNetwork("virtual-network", {
    ...common,
    addressSpace: { addressPrefixes: [ADDRESS_SPACE] },
  });

  // Without Azure's implicit outbound access, whose address nobody can tell: the NAT gateway is the way out.
  const subnet = new network.Subnet(
    "subnet",
    {
      resourceGroupName: resourceGroup.name,
      virtualNetworkName: virtualNetwork.name,
      addressPrefix: ADDRESS_SPACE,
      defaultOutboundAccess: false,
      natGateway: { id: natGateway.id },
      networkSecurityGroup: { id: securityGroup.id },
    },
    // A replacement comes first: Azure deletes a subnet only once no network interface is in it.
    { deleteBeforeReplace: false },
  );

  return new network.NetworkInterface("network-interface", {
    ...common,
    ipConfigurations: [
      {
        name: "internal",
        primary: true,
        privateIPAllocationMethod: network.IPAllocationMethod.Dynamic,
        subnet: { id: subnet.id },
      },
    ],
  });
}
