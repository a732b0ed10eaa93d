import { readObject, readObjects, readReference, readText } from "../json";
import type { JsonObject } from "../json";
import { isSameText, listResources } from "../state";
import type { Resource, State } from "../state";
import { VIRTUAL_MACHINE_TYPE } from "./compute-types";

/** A VM's tie to a network interface. */
export interface NetworkInterfaceLink {
  id: string;
  /** Whether the interface is deleted with the VM. */
  deleteOption: "Delete" | "Detach";
}

/** The network interfaces that a VM's properties name. */
export function listNetworkInterfaceLinks(properties: JsonObject): NetworkInterfaceLink[] {
  const path = "properties.networkProfile";
  const profile = readObject(properties["networkProfile"], path);
  return readObjects(profile["networkInterfaces"], `${path}.networkInterfaces`).flatMap(
    (link, index) => {
      const linkPath = `${path}.networkInterfaces[${index}]`;
      const id = readReference(link, linkPath);
      if (id === undefined) return [];
      const options = readObject(link["properties"], `${linkPath}.properties`);
      const option = readText(options["deleteOption"], `${linkPath}.properties.deleteOption`);
      return [{ id, deleteOption: isSameText(option, "Delete") ? "Delete" : "Detach" }];
    },
  );
}

/** The VM that a network interface is with, if it is with one. */
export function findVirtualMachineOf(
  state: State,
  networkInterfaceId: string,
): Resource | undefined {
  return listResources(state, VIRTUAL_MACHINE_TYPE).find(({ properties }) =>
    listNetworkInterfaceLinks(properties).some(({ id }) => isSameText(id, networkInterfaceId)),
  );
}
