import { invalidParameter } from "../errors";
import { readObject } from "../json";
import type { JsonObject } from "../json";
import type { ArmQuery } from "../resource-type";
import { isSameText } from "../state";
import type { Resource, State } from "../state";

const POWER_TEXTS = {
  running: "VM running",
  stopped: "VM stopped",
  deallocated: "VM deallocated",
} as const;

/** A VM's instance view: its power state, its agent and its OS, as far as anything here has them. */
export function getInstanceView(virtualMachine: Resource, state: State): JsonObject {
  const power = state.powerStates.get(virtualMachine.id.toLowerCase()) ?? "running";
  const provisioning = String(virtualMachine.properties["provisioningState"]);
  const osProfile = readObject(virtualMachine.properties["osProfile"], "osProfile");
  const statuses = [
    {
      code: `ProvisioningState/${provisioning.toLowerCase()}`,
      level: "Info",
      displayStatus: provisioning === "Succeeded" ? "Provisioning succeeded" : provisioning,
      time: virtualMachine.properties["timeCreated"],
    },
    { code: `PowerState/${power}`, level: "Info", displayStatus: POWER_TEXTS[power] },
  ];
  if (power !== "running") return { statuses };
  return {
    computerName: osProfile["computerName"],
    osName: "Windows Server",
    hyperVGeneration: "V2",
    vmAgent: {
      vmAgentVersion: "Unknown",
      statuses: [{ code: "ProvisioningState/succeeded", level: "Info", displayStatus: "Ready" }],
    },
    statuses,
  };
}

/**
 * True when a GET asks for the instance view too.
 * @throws AzureError 400 InvalidParameter when it asks to expand anything else
 */
export function wantsInstanceView(query: ArmQuery): boolean {
  const expand = query["$expand"];
  if (expand === undefined) return false;
  if (isSameText(expand, "instanceView")) return true;
  throw invalidParameter(
    "$expand",
    `The value of the parameter $expand, '${expand}', is not one this Azure knows: instanceView.`,
  );
}

/** True while a VM runs. */
export function isRunning(state: State, vmId: string): boolean {
  return state.powerStates.get(vmId.toLowerCase()) === "running";
}
