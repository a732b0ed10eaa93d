import type * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "./config";
import { nameInFleet } from "./fleet";
import type { ResourceGroup } from "./resource-group";
import { type WindowsVm, mapByName } from "./windows-vm";

/** Enough for verify, which waits up to 11 minutes for a new role, and for the download of Node before. */
const TIMEOUT_SECONDS = 30 * 60;

/** How a script may have ended that didn't succeed ("Virtual Machine Run Commands - Get", ExecutionState). */
const FAILED_STATES: readonly string[] = ["Failed", "TimedOut", "Canceled"];

/** How verify ended on a VM, as Azure's Run Command tells it. */
export interface ProofResult {
  /** `Succeeded`: the deployment ends with an error when it's one of {@link FAILED_STATES}. */
  readonly state: string;
  readonly exitCode?: number | undefined;
  /** What verify printed, at most the last 4 KB. */
  readonly output?: string | undefined;
}

/**
 * Steps 4 and 5 as a part of the deployment, if the settings say so: each VM runs verify, and when that
 * fails, so does the deployment. It runs again when the script, the VM, the identity or the role
 * assignment is another.
 *
 * @returns the results by the names of the VMs; none when nothing is to be proved
 */
export function proveAccess(
  settings: Settings,
  resourceGroup: ResourceGroup,
  vms: readonly WindowsVm[],
  identity: managedidentity.UserAssignedIdentity,
  roleAssignment: authorization.RoleAssignment,
): Record<string, pulumi.Output<ProofResult>> {
  const { verifyScript } = settings;
  if (verifyScript === undefined) return {};
  return mapByName(vms, (vm) =>
    runVerify(settings, verifyScript, resourceGroup, vm, identity, roleAssignment),
  );
}

/** On a VM of the stack, the script needs no arguments: the VM itself tells which identity and which group are meant. */
function runVerify(
  settings: Settings,
  script: string,
  resourceGroup: ResourceGroup,
  vm: WindowsVm,
  identity: managedidentity.UserAssignedIdentity,
  roleAssignment: authorization.RoleAssignment,
): pulumi.Output<ProofResult> {
  const runCommand = new compute.VirtualMachineRunCommandByVirtualMachine(
    nameInFleet("verify", vm.place),
    {
      resourceGroupName: resourceGroup.name,
      // Not the resource's name: replacing the VM would then delete this first, for which the VM must be running.
      vmName: vm.name,
      runCommandName: "verify",
      location: settings.location,
      tags: settings.tags,
      // Azure runs a script again only when it is another: the last line is, once one of these is.
      source: {
        script: pulumi.interpolate`${script}\n# VM ${vm.resource.vmId}, identity ${identity.clientId} (principal ${identity.principalId}), role assignment ${roleAssignment.id}\n`,
      },
      asyncExecution: false,
      timeoutInSeconds: TIMEOUT_SECONDS,
      treatFailureAsDeploymentFailure: true,
    },
    {
      dependsOn: roleAssignment,
      // It goes with its VM.
      deletedWith: vm.resource,
      // For --replace, which runs it again: there is one of its name.
      deleteBeforeReplace: true,
    },
  );

  return pulumi
    .all([resourceGroup.name, runCommand.name, runCommand.provisioningState])
    .apply(async ([resourceGroupName, runCommandName, provisioningState]) => {
      const names = { resourceGroupName, vmName: vm.name, runCommandName };
      const result = await readResult(names, provisioningState, runCommand);
      const failure = findProofFailure(result, vm);
      if (failure !== undefined) {
        // A preview may be about to run it again. An error makes the deployment fail, without a stack trace.
        const log = pulumi.runtime.isDryRun() ? pulumi.log.warn : pulumi.log.error;
        await log(failure, runCommand);
      }
      return result;
    });
}

/**
 * What there is to say of a failed run of verify, undefined when it didn't fail. Azure fails the
 * deployment in which verify fails, but after a `pulumi refresh` nothing would remind of it any more.
 */
export function findProofFailure(
  { state, exitCode }: ProofResult,
  { name, place }: Pick<WindowsVm, "name" | "place">,
): string | undefined {
  if (!FAILED_STATES.includes(state)) return undefined;
  const ending = exitCode === undefined ? state : `${state}, exit code ${exitCode}`;
  return (
    `verify ended on ${name} as: ${ending}.\n` +
    `    see what it printed: az vm run-command show --name verify --vm-name ${name} --resource-group <group> --expand instanceView\n` +
    `    run it again: pulumi up --replace '**::${nameInFleet("verify", place)}'`
  );
}

/** Asks Azure how a run ended, which the resource doesn't tell: azure-native reads it without its instance view. */
async function readResult(
  names: { resourceGroupName: string; vmName: string; runCommandName: string },
  provisioningState: string,
  runCommand: pulumi.Resource,
): Promise<ProofResult> {
  try {
    const answer: Partial<compute.GetVirtualMachineRunCommandByVirtualMachineResult> =
      await compute.getVirtualMachineRunCommandByVirtualMachine({
        ...names,
        expand: "instanceView",
      });
    // Azure may know nothing of a VM that is stopped now.
    const view = answer.instanceView;
    return {
      state: view?.executionState ?? provisioningState,
      exitCode: view?.exitCode,
      output: view?.output,
    };
  } catch (error) {
    // A run that fails has failed the deployment already: a missing detail is no reason to.
    const reason = error instanceof Error ? error.message : String(error);
    await pulumi.log.warn(`The output of verify could not be read: ${reason}`, runCommand);
    return { state: provisioningState };
  }
}
