import * as network from "@pulumi/azure-native/network";
import type * as azure from "@pulumi/azure-native/types";
import type { Settings } from "./config";
import { isIPv6Block } from "./cidr-blocks";
import { nameInFleet } from "./fleet";
import type { ResourceGroup } from "./resource-group";

/** Whether anybody may reach the VMs by Remote Desktop, so that each has a public address, which then is its way out, too. */
export function hasRemoteDesktop({ allowRdpFrom }: Settings): boolean {
  return allowRdpFrom.length > 0;
}

/** The rules that let exactly the given addresses in, to the port of Remote Desktop; Azure takes no rule for both kinds of address. */
export function createRemoteDesktopRules({
  allowRdpFrom,
}: Settings): azure.input.network.SecurityRuleArgs[] {
  const kinds = [
    { name: "allow-rdp", blocks: allowRdpFrom.filter((block) => !isIPv6Block(block)) },
    { name: "allow-rdp-ipv6", blocks: allowRdpFrom.filter(isIPv6Block) },
  ];
  return kinds.flatMap(({ name, blocks }, index) =>
    blocks.length === 0
      ? []
      : [
          {
            name,
            priority: 100 + index,
            direction: network.SecurityRuleDirection.Inbound,
            access: network.SecurityRuleAccess.Allow,
            protocol: network.SecurityRuleProtocol.Tcp,
            sourceAddressPrefixes: blocks,
            sourcePortRange: "*",
            destinationAddressPrefix: "*",
            destinationPortRange: "3389",
          },
        ],
  );
}

/** The address at which one VM is reached from outside, and that its own requests come from. */
export function createPublicAddress(
  settings: Settings,
  resourceGroup: ResourceGroup,
  place: number,
): network.PublicIPAddress {
  return new network.PublicIPAddress(nameInFleet("public-address", place), {
    resourceGroupName: resourceGroup.name,
    location: settings.location,
    tags: settings.tags,
    sku: { name: network.PublicIPAddressSkuName.Standard },
    publicIPAllocationMethod: network.IPAllocationMethod.Static,
  });
}
