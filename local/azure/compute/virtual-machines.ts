import { randomUUID } from "node:crypto";

import type { Azure } from "../context";
import { AzureError, invalidParameter, missingParameter, notImplemented } from "../errors";
import { readObject, readObjects, readText, readTexts } from "../json";
import type { JsonObject } from "../json";
import { NETWORK_INTERFACE_TYPE } from "../network/network-types";
import { checkNotGiven, getReferenced } from "../references";
import type { PutRequest, ResourceType } from "../resource-type";
import { findResource, isSameText, removeResource, storeResource } from "../state";
import { COMPUTE_API_VERSIONS, DISK_TYPE, VIRTUAL_MACHINE_TYPE } from "./compute-types";
import { keepPassword } from "./admin-password";
import { createOsDisk } from "./disks";
import { getInstanceView, wantsInstanceView } from "./instance-view";
import { findVirtualMachineOf, listNetworkInterfaceLinks } from "./network-profile";
import { checkUnchanged, createOsProfile, updateOsProfile } from "./os-profile";
import { createVmIdentity, patchVirtualMachine, removeSystemPrincipal } from "./vm-identity";

/** Settings that Azure knows and this Azure doesn't: most name resources that it hasn't. */
const NOT_IMPLEMENTED = [
  "applicationProfile",
  "availabilitySet",
  "billingProfile",
  "capacityReservation",
  "evictionPolicy",
  "host",
  "hostGroup",
  "platformFaultDomain",
  "proximityPlacementGroup",
  "scheduledEventsProfile",
  "virtualMachineScaleSet",
] as const;

/**
 * Virtual machines, Windows ones made from a marketplace image. "Virtual Machines" REST API,
 * https://learn.microsoft.com/rest/api/compute/virtual-machines. Of the administrator's
 * password, only a salted digest is kept.
 */
export const VIRTUAL_MACHINES: ResourceType = {
  type: VIRTUAL_MACHINE_TYPE,
  apiVersions: COMPUTE_API_VERSIONS,
  isTracked: true,
  isLongRunning: true,
  patch: patchVirtualMachine,
  getQuery: ["$expand"],

  checkName(name) {
    if (/^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9_])?$/i.test(name)) return;
    throw invalidParameter(
      "vmName",
      `The VM name '${name}' is not valid. It can have letters, digits, '.', '_' and '-', at most 64 of them, and can't start or end with '.' or '-'.`,
    );
  },

  put(request, azure) {
    const { existing } = request;
    checkNotGiven(request.properties, NOT_IMPLEMENTED, "VMs");
    checkNotGiven(request.body, ["extendedLocation", "placement", "plan"], "VMs");
    const properties = { ...request.properties };
    // A GET shows it only when asked to, which isn't implemented.
    delete properties["userData"];
    const hardware = readObject(properties["hardwareProfile"], "properties.hardwareProfile");
    checkSize(readText(hardware["vmSize"], "properties.hardwareProfile.vmSize"));
    checkEncryptionAtHost(properties);
    checkNetworkInterfaces(request, azure);
    const osProfile =
      existing === undefined
        ? createOsProfile(properties, request.name)
        : updateOsProfile(existing.properties, properties);
    const storageProfile = createStorageProfile(request);
    const passwordDigest = keepPassword(properties, existing);
    const zones = readTexts(request.body["zones"], "zones");
    if (existing !== undefined) checkUnchanged("zones", existing.zones, request.body["zones"]);
    return {
      ...(zones.length > 0 ? { zones } : {}),
      passwordDigest,
      // Last, because it can create a service principal.
      identity: createVmIdentity(request, azure),
      properties: {
        ...properties,
        osProfile,
        storageProfile,
        vmId: existing?.properties["vmId"] ?? randomUUID(),
        timeCreated: existing?.properties["timeCreated"] ?? new Date().toISOString(),
      },
    };
  },

  async afterPut(virtualMachine, azure) {
    const { state } = azure;
    const { osDisk, imageReference } = readStorage(virtualMachine.properties);
    const id = osDisk.managedDisk.id;
    if (findResource(state, id) === undefined) {
      const sku = osDisk.managedDisk.storageAccountType;
      const disk = { id, name: osDisk.name, sizeGb: osDisk.diskSizeGB, sku, image: imageReference };
      storeResource(state, createOsDisk(virtualMachine, disk));
    }
    const key = virtualMachine.id.toLowerCase();
    if (!state.powerStates.has(key)) state.powerStates.set(key, "running");
    if (state.powerStates.get(key) === "running") await azure.metadata.start(virtualMachine);
  },

  view(virtualMachine, azure, query) {
    if (!wantsInstanceView(query)) return virtualMachine.properties;
    return {
      ...virtualMachine.properties,
      instanceView: getInstanceView(virtualMachine, azure.state),
    };
  },

  async afterDelete(virtualMachine, azure) {
    const { state } = azure;
    azure.scriptRuns.stop(virtualMachine.id);
    await azure.metadata.stop(virtualMachine.id);
    state.powerStates.delete(virtualMachine.id.toLowerCase());
    removeSystemPrincipal(virtualMachine, azure);
    const { osDisk } = readStorage(virtualMachine.properties);
    const disk = findResource(state, osDisk.managedDisk.id);
    if (disk !== undefined) {
      if (isSameText(osDisk.deleteOption, "Delete")) {
        removeResource(state, disk.id);
      } else {
        disk.managedBy = undefined;
        disk.properties["diskState"] = "Unattached";
      }
    }
    for (const link of listNetworkInterfaceLinks(virtualMachine.properties)) {
      if (link.deleteOption === "Delete") removeResource(state, link.id);
    }
  },
};

/** The parts of a kept `storageProfile` that others need. */
interface StorageProfile {
  imageReference: JsonObject;
  osDisk: {
    name: string;
    diskSizeGB?: number;
    deleteOption?: string;
    managedDisk: { id: string; storageAccountType?: string };
  };
}

/** Put together by createStorageProfile below, so its shape is known. */
function readStorage(properties: JsonObject): StorageProfile {
  return properties["storageProfile"] as StorageProfile;
}

function createStorageProfile({ id, name, properties, existing }: PutRequest): JsonObject {
  const path = "properties.storageProfile";
  const wanted = readObject(properties["storageProfile"], path);
  const image = readObject(wanted["imageReference"], `${path}.imageReference`);
  const osDisk = readObject(wanted["osDisk"], `${path}.osDisk`);
  const managedDisk = readObject(osDisk["managedDisk"], `${path}.osDisk.managedDisk`);
  if (existing !== undefined) {
    const kept = readStorage(existing.properties);
    for (const part of ["publisher", "offer", "sku", "version", "id"]) {
      checkUnchanged("imageReference", kept.imageReference[part], image[part]);
    }
    checkUnchanged("osDisk.name", kept.osDisk.name, osDisk["name"]);
    return {
      ...kept,
      osDisk: {
        ...kept.osDisk,
        ...osDisk,
        managedDisk: { ...kept.osDisk.managedDisk, ...managedDisk },
      },
    };
  }
  const createOption = readText(osDisk["createOption"], `${path}.osDisk.createOption`);
  if (createOption === undefined) {
    throw missingParameter("osDisk.createOption");
  }
  if (!isSameText(createOption, "FromImage") || image["id"] !== undefined) {
    throw notImplemented("VMs made from anything but a marketplace image");
  }
  if (readObjects(wanted["dataDisks"], `${path}.dataDisks`).length > 0) {
    throw notImplemented("VMs with data disks");
  }
  for (const part of ["publisher", "offer", "sku", "version"]) {
    if (readText(image[part], `${path}.imageReference.${part}`) !== undefined) continue;
    throw missingParameter(`imageReference.${part}`);
  }
  const diskName =
    readText(osDisk["name"], `${path}.osDisk.name`) ??
    `${name}_OsDisk_1_${randomUUID().replaceAll("-", "")}`;
  const groupId = id.slice(0, id.toLowerCase().indexOf("/providers/"));
  return {
    ...wanted,
    imageReference: image,
    osDisk: {
      osType: "Windows",
      caching: "ReadWrite",
      deleteOption: "Detach",
      ...osDisk,
      name: diskName,
      createOption: "FromImage",
      managedDisk: { ...managedDisk, id: `${groupId}/providers/${DISK_TYPE}/${diskName}` },
    },
    dataDisks: [],
  };
}

function checkNetworkInterfaces(request: PutRequest, azure: Azure): void {
  const links = listNetworkInterfaceLinks(request.properties);
  if (links.length === 0) {
    throw missingParameter("networkProfile.networkInterfaces");
  }
  for (const { id } of links) {
    const networkInterface = getReferenced(azure, NETWORK_INTERFACE_TYPE, id, request);
    const user = findVirtualMachineOf(azure.state, networkInterface.id);
    if (user === undefined || isSameText(user.id, request.id)) continue;
    throw new AzureError(
      400,
      "NicInUse",
      `Network Interface ${networkInterface.id} is used by existing resource ${user.id}. In order to use the network interface, it must be dissociated from the resource.`,
      { details: [] },
    );
  }
}

function checkSize(size: string | undefined): void {
  if (size === undefined) {
    throw missingParameter("vmSize");
  }
  if (/^(?:Standard|Basic)_\w+(?:-\w+)*$/i.test(size)) return;
  throw invalidParameter(
    "vmSize",
    `The value ${size} provided for the VM size is not valid. The valid sizes in the current region are named like Standard_B2s_v2.`,
  );
}

/** Needs a feature of the subscription, which a new subscription doesn't have. */
function checkEncryptionAtHost(properties: JsonObject): void {
  const security = readObject(properties["securityProfile"], "properties.securityProfile");
  if (security["encryptionAtHost"] !== true) return;
  throw invalidParameter(
    "securityProfile.encryptionAtHost",
    "The property 'securityProfile.encryptionAtHost' is not valid because the 'Microsoft.Compute/EncryptionAtHost' feature is not enabled for this subscription.",
  );
}
