import * as network from "@pulumi/azure-native/network";
import type { Settings } from "./config";
import { nameInFleet } from "./fleet";
import { createRemoteDesktopRules, hasRemoteDesktop } from "./remote-desktop";
import type { ResourceGroup } from "./resource-group";

/** Azure keeps five of its 256 addresses. */
const ADDRESS_SPACE = "10.0.0.0/24";

/** Azure refuses another location for what exists, and azure-native doesn't replace these by itself. */
const REPLACED_WITH_LOCATION = { replaceOnChanges: ["location"] };

/**
 * The network of the VMs: no way in, unless the settings let somebody in, and one explicit way out,
 * through which the VMs reach Azure Resource Manager. The Instance Metadata Service needs no way out:
 * it answers on the VM's own host.
 *
 * @returns the subnet for the VMs
 */
export function createNetwork(settings: Settings, resourceGroup: ResourceGroup): network.Subnet {
  const common = getCommonArguments(settings, resourceGroup);

  // Azure's default rules let the rest of the virtual network in; the last one here lets nothing in.
  const securityGroup = new network.NetworkSecurityGroup(
    "security-group",
    {
      ...common,
      // Listed here, and not resources of their own, so that a rule added by hand is seen and removed.
      securityRules: [
        ...createRemoteDesktopRules(settings),
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
    },
    REPLACED_WITH_LOCATION,
  );

  // A VM with a public address of its own goes out through that: a NAT gateway would only cost money.
  const natGateway = hasRemoteDesktop(settings)
    ? undefined
    : createNatGateway(settings, resourceGroup);

  const virtualNetwork = new network.VirtualNetwork("virtual-network", {
    ...common,
    addressSpace: { addressPrefixes: [ADDRESS_SPACE] },
  });

  return new network.Subnet(
    "subnet",
    {
      resourceGroupName: resourceGroup.name,
      virtualNetworkName: virtualNetwork.name,
      addressPrefix: ADDRESS_SPACE,
      // Without Azure's implicit outbound access, whose address nobody can tell.
      defaultOutboundAccess: false,
      ...(natGateway && { natGateway: { id: natGateway.id } }),
      networkSecurityGroup: { id: securityGroup.id },
    },
    // A replacement comes first: Azure deletes a subnet only once no network interface is in it.
    { deleteBeforeReplace: false },
  );
}

/** The one way out for VMs without a public address: a NAT gateway takes connections from inside only. */
function createNatGateway(settings: Settings, resourceGroup: ResourceGroup): network.NatGateway {
  const common = getCommonArguments(settings, resourceGroup);

  // The address that the VMs' requests come from.
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

  return new network.NatGateway(
    "nat-gateway",
    {
      ...common,
      sku: { name: network.NatGatewaySkuName.Standard },
      publicIpAddresses: [{ id: outboundAddress.id }],
    },
    REPLACED_WITH_LOCATION,
  );
}

/** The network interface of one VM, in the subnet that all share. */
export function createNetworkInterface(
  settings: Settings,
  resourceGroup: ResourceGroup,
  place: number,
  subnet: network.Subnet,
  publicAddress: network.PublicIPAddress | undefined,
): network.NetworkInterface {
  return new network.NetworkInterface(
    nameInFleet("network-interface", place),
    {
      ...getCommonArguments(settings, resourceGroup),
      ipConfigurations: [
        {
          name: "internal",
          primary: true,
          privateIPAllocationMethod: network.IPAllocationMethod.Dynamic,
          subnet: { id: subnet.id },
          ...(publicAddress && { publicIPAddress: { id: publicAddress.id } }),
        },
      ],
    },
    REPLACED_WITH_LOCATION,
  );
}

function getCommonArguments({ location, tags }: Settings, { name }: ResourceGroup) {
  return { resourceGroupName: name, location, tags };
}
