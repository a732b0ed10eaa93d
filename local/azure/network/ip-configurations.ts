import { readObject, readObjects, readReference, readText } from "../json";
import { listResources } from "../state";
import type { Resource, State } from "../state";
import { NETWORK_INTERFACE_TYPE } from "./network-types";

/** An IP configuration of a network interface: an address of a subnet, perhaps a public one too. */
export interface IpConfiguration {
  id: string;
  networkInterface: Resource;
  subnetId: string | undefined;
  publicIpAddressId: string | undefined;
  privateIpAddress: string | undefined;
}

/** All IP configurations of all network interfaces. */
export function listIpConfigurations(state: State): IpConfiguration[] {
  return listResources(state, NETWORK_INTERFACE_TYPE).flatMap((networkInterface) =>
    readObjects(networkInterface.properties["ipConfigurations"], "ipConfigurations").map((one) => {
      const properties = readObject(one["properties"], "properties");
      return {
        id: String(one["id"]),
        networkInterface,
        subnetId: readReference(properties["subnet"], "subnet"),
        publicIpAddressId: readReference(properties["publicIPAddress"], "publicIPAddress"),
        privateIpAddress: readText(properties["privateIPAddress"], "privateIPAddress"),
      };
    }),
  );
}
