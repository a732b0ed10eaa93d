import { createHmac, randomBytes } from "node:crypto";

import type { Azure } from "../context";
import { AzureError, invalidParameter, missingParameter, notImplemented } from "../errors";
import { mergePatch, readBoolean, readInteger, readObject, readObjects, readText } from "../json";
import type { JsonObject } from "../json";
import { checkNotGiven, isBusy } from "../references";
import type { PutRequest, ResourceType } from "../resource-type";
import { findResource, listBelow } from "../state";
import type { Resource, ScriptRun } from "../state";
import { COMPUTE_API_VERSIONS, RUN_COMMAND_TYPE } from "./compute-types";
import { isRunning, wantsInstanceView } from "./instance-view";
import { getRunInstanceView } from "./script-runs";
import type { ScriptParameter } from "./script-runs";

/** Seen in https://github.com/MicrosoftDocs/azure-docs/issues/117976. */
const MAX_RUN_COMMANDS = 25;

/** 90 minutes: "Run scripts in your Windows VM by using managed Run Commands". */
const DEFAULT_TIMEOUT_SECONDS = 5400;

/** Makes digests of settings worthless to whoever finds them. */
const DIGEST_KEY = randomBytes(32);

/** Settings that Azure knows and this Azure doesn't. */
const NOT_IMPLEMENTED = [
  "errorBlobManagedIdentity",
  "errorBlobUri",
  "galleryScriptReferenceId",
  "outputBlobManagedIdentity",
  "outputBlobUri",
  "runAsPassword",
  "runAsUser",
] as const;

/**
 * Managed run commands: a PUT runs the script on the VM, and again when it changes the settings.
 * "Virtual Machine Run Commands" REST API,
 * https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands, and "Run scripts in your
 * Windows VM by using managed Run Commands",
 * https://learn.microsoft.com/azure/virtual-machines/windows/run-command-managed.
 */
export const RUN_COMMANDS: ResourceType = {
  type: RUN_COMMAND_TYPE,
  apiVersions: COMPUTE_API_VERSIONS,
  isTracked: true,
  isLongRunning: true,
  getQuery: ["$expand"],
  listQuery: ["$expand"],

  patch(shown, patch, existing) {
    const { protectedParameters } = readObject(patch["properties"], "properties");
    if (existing.scriptRun?.hasSecrets === true && protectedParameters === undefined) {
      throw notImplemented(
        "a PATCH of a run command that leaves out its protectedParameters, which aren't kept",
      );
    }
    return readObject(mergePatch(shown, patch), "body");
  },

  put(request, azure) {
    checkVirtualMachine(request.id, azure);
    checkCount(request, azure);
    const { kept, secrets } = readSettings(request.properties);
    const digest = createHmac("sha256", DIGEST_KEY)
      .update(JSON.stringify({ kept, secrets }))
      .digest("hex");
    const last = request.existing?.scriptRun;
    return {
      properties: kept,
      scriptRun: last?.digest === digest ? last : createRun(digest, secrets.length > 0),
    };
  },

  async provision(runCommand, request, azure) {
    const run = runCommand.scriptRun;
    if (run === undefined) throw new Error(`${runCommand.id} has no run.`);
    const { kept, parameters, secrets } = readSettings(request.properties);
    if (run.state === "Pending") {
      const ended = azure.scriptRuns.start(runCommand, run, {
        vmId: getVmId(runCommand.id),
        script: kept.source.script,
        parameters: [...parameters, ...secrets],
        timeoutMs: (kept.timeoutInSeconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
      });
      // Provisioning is over once the script started.
      if (kept.asyncExecution) return undefined;
      await ended;
    }
    const isFailure = kept.treatFailureAsDeploymentFailure && !kept.asyncExecution;
    return isFailure && run.state !== "Succeeded" ? scriptFailed(runCommand, run) : undefined;
  },

  view(runCommand, _azure, query) {
    if (!wantsInstanceView(query) || runCommand.scriptRun === undefined) {
      return runCommand.properties;
    }
    return { ...runCommand.properties, instanceView: getRunInstanceView(runCommand.scriptRun) };
  },

  findUse(runCommand, azure) {
    return isRunning(azure.state, getVmId(runCommand.id)) ? undefined : vmNotRunning();
  },

  afterDelete(runCommand, azure) {
    azure.scriptRuns.stop(runCommand.id);
  },
};

/** The settings of a run command that a GET shows. */
interface KeptSettings extends JsonObject {
  source: { script: string };
  parameters?: JsonObject[];
  asyncExecution: boolean;
  timeoutInSeconds?: number;
  treatFailureAsDeploymentFailure: boolean;
}

function readSettings(properties: JsonObject): {
  kept: KeptSettings;
  parameters: ScriptParameter[];
  secrets: ScriptParameter[];
} {
  const source = readObject(properties["source"], "properties.source");
  checkNotGiven({ ...source, ...properties }, NOT_IMPLEMENTED, "run commands");
  const timeout = readInteger(properties["timeoutInSeconds"], "properties.timeoutInSeconds");
  if (timeout !== undefined && timeout <= 0) {
    // Inferred.
    throw invalidParameter("timeoutInSeconds", "timeoutInSeconds must be greater than 0.");
  }
  const parameters = readParameters(properties, "parameters");
  return {
    kept: {
      source: { script: readScript(source) },
      ...(parameters.length > 0 ? { parameters: parameters.map((one) => ({ ...one })) } : {}),
      asyncExecution: readFlag(properties, "asyncExecution"),
      ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
      treatFailureAsDeploymentFailure: readFlag(properties, "treatFailureAsDeploymentFailure"),
    },
    parameters,
    secrets: readParameters(properties, "protectedParameters"),
  };
}

/** One kind of source is allowed; which refusal two or none get is inferred. */
function readScript(source: JsonObject): string {
  const kinds = ["script", "scriptUri", "commandId"].filter(
    (kind) => (readText(source[kind], `properties.source.${kind}`) ?? "") !== "",
  );
  const [kind] = kinds;
  if (kind === undefined) throw missingParameter("source");
  if (kinds.length > 1) {
    throw invalidParameter(
      "source",
      `Only one type of source can be given, not ${kinds.join(", ")}.`,
    );
  }
  if (kind !== "script") throw notImplemented(`run commands with a ${kind}`);
  return String(source["script"]);
}

function readParameters(
  properties: JsonObject,
  list: "parameters" | "protectedParameters",
): ScriptParameter[] {
  return readObjects(properties[list], `properties.${list}`).map((one, index) => ({
    name: readText(one["name"], `properties.${list}[${index}].name`) ?? "",
    value: readText(one["value"], `properties.${list}[${index}].value`) ?? "",
  }));
}

function readFlag(properties: JsonObject, name: string): boolean {
  return readBoolean(properties[name], `properties.${name}`) ?? false;
}

function createRun(digest: string, hasSecrets: boolean): ScriptRun {
  return { digest, hasSecrets, state: "Pending", output: "", error: "" };
}

/** Run commands reach the VM as extensions do, so that the refusals are theirs (inferred). */
function checkVirtualMachine(runCommandId: string, azure: Azure): void {
  const virtualMachine = findResource(azure.state, getVmId(runCommandId));
  if (virtualMachine !== undefined && isBusy(virtualMachine)) {
    throw new AzureError(
      409,
      "Conflict",
      `The request failed due to conflict with a concurrent request to the virtual machine ${virtualMachine.id}.`,
    );
  }
  if (!isRunning(azure.state, getVmId(runCommandId))) throw vmNotRunning();
}

/**
 * Code and message: "Understand common error messages when you manage virtual machines in Azure"; the
 * status as extensions get it: https://learn.microsoft.com/troubleshoot/azure/virtual-machines.
 */
function vmNotRunning(): AzureError {
  return new AzureError(
    409,
    "OperationNotAllowed",
    "Cannot modify extensions in the VM when the VM is not running.",
  );
}

/** The message is Azure's; its status and code are inferred. */
function checkCount({ id, existing }: PutRequest, azure: Azure): void {
  if (existing !== undefined) return;
  const count = listBelow(azure.state, getVmId(id)).filter(
    ({ type }) => type === RUN_COMMAND_TYPE,
  ).length;
  if (count < MAX_RUN_COMMANDS) return;
  throw new AzureError(
    409,
    "OperationNotAllowed",
    `The maximum number of managed Run commands (max=${MAX_RUN_COMMANDS}, current=${count}) has been exceeded. Use fewer Run commands and retry the request. To list Run commands, refer: https://aka.ms/RunCommandManaged#list-all-deployed-runcommand-resources-on-a-vm-1 and then delete a Run command: https://aka.ms/RunCommandManaged#delete-runcommand-resource-from-the-vm-1`,
  );
}

/**
 * Why a script's failure fails the deployment: `provisioningState` in "Virtual Machine Run Commands -
 * Create Or Update". Code and words are those of other VM extensions, as in
 * https://github.com/Azure/azure-cli/issues/6898 and https://github.com/cyberark/pas-on-cloud/issues/340;
 * that managed run commands have the same is inferred.
 */
function scriptFailed({ name }: Resource, run: ScriptRun): AzureError {
  return new AzureError(
    409,
    "VMExtensionProvisioningError",
    `VM has reported a failure when processing extension '${name}' (publisher 'Microsoft.CPlat.Core' and type 'RunCommandHandlerWindows'). Error message: '${describeFailure(run)}'.`,
  );
}

function describeFailure({ state, exitCode, message }: ScriptRun): string {
  if (state === "TimedOut") return "Script execution timed out";
  if (state === "Canceled") return "Script execution was canceled";
  if (exitCode === undefined) return message ?? "Script execution failed";
  return `Command execution finished, but failed because it returned a non-zero exit code of: '${exitCode}'`;
}

function getVmId(runCommandId: string): string {
  return runCommandId.split("/").slice(0, -2).join("/");
}
