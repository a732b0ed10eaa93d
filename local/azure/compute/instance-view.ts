import { readObject } from "../json";
import type { JsonObject } from "../json";
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
