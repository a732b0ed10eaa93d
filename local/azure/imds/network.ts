import { listNetworkInterfaceLinks } from "../compute/network-profile";
import { listIpConfigurations } from "../network/ip-configurations";
import type { IpConfiguration } from "../network/ip-configurations";
import { getMacAddress } from "../network/network-interfaces";
import { readText } from "../json";
import { findResource, isSameText } from "../state";
import type { Resource, State } from "../state";

/** A network interface of a VM as the guest sees it. */
export interface GuestInterface {
  macAddress: string;
  configurations: IpConfiguration[];
  subnet: { address: string; prefix: string };
}

/** The network interfaces of a VM that exist, in its order. */
export function listConfigurationsOf(state: State, virtualMachine: Resource): GuestInterface[] {
  const all = listIpConfigurations(state);
  return listNetworkInterfaceLinks(virtualMachine.properties).flatMap(({ id }) => {
    const networkInterface = findResource(state, id);
    if (networkInterface === undefined) return [];
    const configurations = all.filter((one) => isSameText(one.networkInterface.id, id));
    return [
      {
        macAddress: getMacAddress(networkInterface),
        configurations,
        subnet: getSubnet(state, configurations[0]?.subnetId),
      },
    ];
  });
}

/** The public address of an IP configuration, if it has one. */
export function findPublicAddress(state: State, one: IpConfiguration): string | undefined {
  const address = findResource(state, one.publicIpAddressId ?? "");
  return readText(address?.properties["ipAddress"], "ipAddress");
}

function getSubnet(state: State, id: string | undefined): { address: string; prefix: string } {
  const range = readText(findResource(state, id ?? "")?.properties["addressPrefix"], "prefix");
  const [address = "", prefix = ""] = (range ?? "").split("/");
  return { address, prefix };
}
