import { randomUUID } from "node:crypto";

import { AzureError } from "../errors";
import type { JsonObject } from "../json";
import type { ResourceType } from "../resource-type";
import { findResource } from "../state";
import type { Resource } from "../state";
import { DISK_API_VERSIONS, DISK_TYPE } from "./compute-types";

/** Size of the Windows Server image's OS disk. */
const DEFAULT_OS_DISK_GB = 127;

/**
 * Managed disks. They come into being with a VM only; there is no PUT. "Disks" REST API,
 * https://learn.microsoft.com/rest/api/compute/disks.
 */
export const DISKS: ResourceType = {
  type: DISK_TYPE,
  apiVersions: DISK_API_VERSIONS,
  isTracked: true,
  isLongRunning: true,

  findUse(disk, { state }) {
    const { managedBy } = disk;
    if (managedBy === undefined || findResource(state, managedBy) === undefined) return undefined;
    return new AzureError(
      409,
      "OperationNotAllowed",
      `Disk ${disk.name} is attached to VM ${managedBy}.`,
      { target: "disk" },
    );
  },
};

/** The managed disk that a VM's OS disk is made of, from the VM's `storageProfile`. */
export function createOsDisk(
  virtualMachine: Pick<Resource, "id" | "location" | "zones">,
  disk: { id: string; name: string; sizeGb: unknown; sku: unknown; image: JsonObject },
): Resource {
  return {
    id: disk.id,
    name: disk.name,
    type: DISK_TYPE,
    location: virtualMachine.location,
    zones: virtualMachine.zones,
    managedBy: virtualMachine.id,
    sku: { name: disk.sku ?? "Standard_LRS" },
    properties: {
      osType: "Windows",
      hyperVGeneration: "V2",
      creationData: { createOption: "FromImage", imageReference: disk.image },
      diskSizeGB: disk.sizeGb ?? DEFAULT_OS_DISK_GB,
      diskState: "Attached",
      uniqueId: randomUUID(),
      timeCreated: new Date().toISOString(),
      provisioningState: "Succeeded",
    },
  };
}
