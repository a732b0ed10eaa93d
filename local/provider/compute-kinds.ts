import { POLLING } from "./clients";
import { defineKind, RESOURCE_GROUP_PATH, type ResourceKind } from "./resource-kind";

const API_VERSION = "2024-11-01";

/** Microsoft.Compute, by type token. */
export const COMPUTE_KINDS: Record<string, ResourceKind> = {
  "azure-native:compute:VirtualMachine": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Compute/virtualMachines/{vmName}`,
    apiVersion: API_VERSION,
    nameKey: "vmName",
    autoNaming: "random",
    bodyInputs: [
      "additionalCapabilities",
      "applicationProfile",
      "availabilitySet",
      "billingProfile",
      "capacityReservation",
      "diagnosticsProfile",
      "evictionPolicy",
      "extendedLocation",
      "extensionsTimeBudget",
      "hardwareProfile",
      "host",
      "hostGroup",
      "identity",
      "licenseType",
      "location",
      "networkProfile",
      "osProfile",
      "placement",
      "plan",
      "platformFaultDomain",
      "priority",
      "proximityPlacementGroup",
      "scheduledEventsPolicy",
      "scheduledEventsProfile",
      "securityProfile",
      "storageProfile",
      "tags",
      "userData",
      "virtualMachineScaleSet",
      "zones",
    ],
    required: ["location"],
    forceNew: ["location"],
    readOnly: ["identity.principalId", "identity.tenantId"],
    put: (c, k, body) =>
      c.compute.virtualMachines.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.vmName,
        body,
        POLLING,
      ),
    get: (c, k, expand) =>
      c.compute.virtualMachines.get(k.resourceGroupName, k.vmName, {
        // What it can be is for Azure to say.
        expand: expand as "instanceView" | undefined,
      }),
    canExpand: true,
    delete: (c, k) =>
      c.compute.virtualMachines.beginDeleteAndWait(k.resourceGroupName, k.vmName, POLLING),
  }),

  "azure-native:compute:VirtualMachineRunCommandByVirtualMachine": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.Compute/virtualMachines/{vmName}/runCommands/{runCommandName}`,
    apiVersion: API_VERSION,
    nameKey: "runCommandName",
    autoNaming: "exact",
    bodyInputs: [
      "asyncExecution",
      "errorBlobManagedIdentity",
      "errorBlobUri",
      "location",
      "outputBlobManagedIdentity",
      "outputBlobUri",
      "parameters",
      "protectedParameters",
      "runAsPassword",
      "runAsUser",
      "source",
      "tags",
      "timeoutInSeconds",
      "treatFailureAsDeploymentFailure",
    ],
    required: ["location"],
    forceNew: ["location"],
    put: (c, k, body) =>
      c.compute.virtualMachineRunCommands.beginCreateOrUpdateAndWait(
        k.resourceGroupName,
        k.vmName,
        k.runCommandName,
        body,
        POLLING,
      ),
    // Without `$expand=instanceView`, as azure-native reads it: the output of the script isn't among its outputs.
    get: (c, k, expand) =>
      c.compute.virtualMachineRunCommands.getByVirtualMachine(
        k.resourceGroupName,
        k.vmName,
        k.runCommandName,
        { expand },
      ),
    canExpand: true,
    delete: (c, k) =>
      c.compute.virtualMachineRunCommands.beginDeleteAndWait(
        k.resourceGroupName,
        k.vmName,
        k.runCommandName,
        POLLING,
      ),
  }),
};
