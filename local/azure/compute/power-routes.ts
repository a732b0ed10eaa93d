import type { Azure } from "../context";
import { resourceNotFound } from "../errors";
import { getOperationHeaders } from "../operation-routes";
import { PREEMPTED } from "../operations";
import { getGroup } from "../resources";
import { fillPath, getParam, GROUP_PATH } from "../route";
import type { ArmRequest, Route } from "../route";
import { findResource } from "../state";
import type { PowerState, Resource } from "../state";
import { COMPUTE_API_VERSIONS, VIRTUAL_MACHINE_TYPE } from "./compute-types";
import { getInstanceView } from "./instance-view";

const VM_PATH = `${GROUP_PATH}/providers/${VIRTUAL_MACHINE_TYPE}/:name`;

/** What each action leaves a VM in. */
const POWER_ACTIONS: Readonly<Record<string, PowerState>> = {
  start: "running",
  restart: "running",
  powerOff: "stopped",
  deallocate: "deallocated",
};

/**
 * A VM's power actions and its instance view. A VM that doesn't run has no metadata service.
 * "Virtual Machines" REST API, https://learn.microsoft.com/rest/api/compute/virtual-machines.
 */
export function getPowerRoutes(azure: Azure): Route[] {
  function getVirtualMachine(request: ArmRequest): Resource {
    const group = getGroup(azure, request, false);
    const name = getParam(request.params, "name");
    const vm = findResource(azure.state, `${group.id}/providers/${VIRTUAL_MACHINE_TYPE}/${name}`);
    if (vm === undefined) throw resourceNotFound(VIRTUAL_MACHINE_TYPE, name, group.name);
    return vm;
  }

  const common = {
    type: VIRTUAL_MACHINE_TYPE,
    apiVersions: COMPUTE_API_VERSIONS,
    getScope: (params: Readonly<Record<string, string>>) => fillPath(VM_PATH, params),
  };
  const actions = Object.entries(POWER_ACTIONS).map(([action, powerState]): Route => ({
    ...common,
    method: "POST",
    path: `${VM_PATH}/${action}`,
    action: `${VIRTUAL_MACHINE_TYPE}/${action}/action`,
    // Whether the guest is shut down first makes no difference here.
    query: action === "powerOff" ? ["skipshutdown"] : [],
    handle: async (request) => {
      const virtualMachine = getVirtualMachine(request);
      const operation = await azure.operations.start(async () => {
        // A deletion may have come in meanwhile.
        if (findResource(azure.state, virtualMachine.id) === undefined) throw PREEMPTED;
        azure.state.powerStates.set(virtualMachine.id.toLowerCase(), powerState);
        if (powerState === "running") {
          await azure.metadata.start(virtualMachine);
        } else {
          azure.scriptRuns.stop(virtualMachine.id);
          await azure.metadata.stop(virtualMachine.id);
        }
      });
      const links = {
        namespace: "Microsoft.Compute",
        location: virtualMachine.location ?? "global",
      };
      return { status: 202, headers: getOperationHeaders(operation, links, request, true) };
    },
  }));
  return [
    ...actions,
    {
      ...common,
      method: "GET",
      path: `${VM_PATH}/instanceView`,
      action: `${VIRTUAL_MACHINE_TYPE}/instanceView/read`,
      handle: (request) => ({
        status: 200,
        body: getInstanceView(getVirtualMachine(request), azure.state),
      }),
    },
  ];
}
