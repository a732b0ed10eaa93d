import * as pulumi from "@pulumi/pulumi";
import { runIndexTs } from "../../local/program";

const PROJECT = "azure-managed-identity-windows-vm";

/** The subscription that the recorded deployment goes to. */
export const SUBSCRIPTION_ID = "5b1e0a9c-0000-4000-8000-000000000001";
/** The id of the group that the stack makes. */
export const GROUP_ID = `/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/resource-group`;
export const PASSWORD = "correct-Horse-7-battery";

/** Settings that differ from all defaults. */
export const SETTINGS: Readonly<Record<string, string>> = {
  location: "northeurope",
  identityName: "reader-identity",
  vmName: "vm-1",
  vmSize: "Standard_D2s_v5",
  imageSku: "2022-datacenter-azure-edition",
  adminUsername: "operator",
  adminPassword: PASSWORD,
  tags: JSON.stringify({ team: "identity" }),
};

/** What a run of index.ts asked for. */
export interface RecordedStack {
  /** Inputs by type and logical name; of a resource that is only read, its id. */
  readonly resources: Readonly<Record<string, unknown>>;
  /** Arguments of the functions called, in no certain order. */
  readonly calls: readonly unknown[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Runs index.ts with recorded resources; a call that it isn't known to make fails. */
export async function recordStack(
  config: Readonly<Record<string, string>> = SETTINGS,
): Promise<RecordedStack> {
  const resources: Record<string, unknown> = {};
  const calls: unknown[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, id: readId, inputs }) {
        const isRead = readId !== undefined && readId !== "";
        resources[`${type} ${name}`] = isRead ? { read: readId } : inputs;
        const id = name === "resource-group" ? GROUP_ID : `${GROUP_ID}/providers/${name}`;
        return {
          id: isRead ? readId : id,
          state: { ...computeOutputs(type, name), ...(inputs as object) },
        };
      },
      call({ token, inputs }) {
        calls.push({ token, ...(inputs as object) });
        return answer(token);
      },
    },
    PROJECT,
    "test",
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [`${PROJECT}:${key}`, value])),
    [`${PROJECT}:adminPassword`],
  );
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(runIndexTs())) {
    outputs[name] = await new Promise((resolve) => {
      pulumi.all([output]).apply(([value]) => {
        resolve(value);
      });
    });
  }
  return { resources, calls, outputs };
}

/** What Azure would add to a resource's inputs. */
function computeOutputs(type: string, name: string): object {
  const common = { name, provisioningState: "Succeeded" };
  switch (type) {
    case "azure-native:managedidentity:UserAssignedIdentity":
      return { ...common, clientId: "client", principalId: "principal", tenantId: "tenant" };
    case "azure-native:compute:VirtualMachine":
      return { ...common, vmId: `unique-id-of-${name}` };
    case "azure-native:network:PublicIPAddress":
      return { ...common, ipAddress: `ip-of-${name}` };
    default:
      return common;
  }
}

function answer(token: string): object {
  switch (token) {
    case "azure-native:authorization:getClientConfig":
      return { subscriptionId: SUBSCRIPTION_ID };
    case "azure-native:compute:getVirtualMachineRunCommandByVirtualMachine":
      return {
        instanceView: { executionState: "Succeeded", exitCode: 0, output: "[ ok ]", error: "" },
      };
    default:
      throw new Error(`unexpected call of ${token}`);
  }
}
