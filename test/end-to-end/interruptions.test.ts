import { execFileSync } from "node:child_process";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { expect, test } from "vitest";
import { type Deployment, listWrites, startDeployment } from "./deployment";

interface Interruptible {
  signal?: AbortSignal;
  onEvent: (event: EngineEvent) => void;
}

/** The resource that the engine begins to change by this event, if it is one of ours. */
function getChanged({ resourcePreEvent }: EngineEvent): string | undefined {
  const { op = "same", type = "", urn = "" } = resourcePreEvent?.metadata ?? {};
  return op === "same" || type.startsWith("pulumi:") ? undefined : urn.split("::").at(-1);
}

/**
 * Interrupts an operation as Ctrl-C does, when the engine begins with the next resource: what is under way by then
 * ends, and nothing else begins.
 *
 * @returns whether it was interrupted; false: it came to its end
 */
async function interrupt(
  operation: (options: Interruptible) => Promise<unknown>,
): Promise<boolean> {
  const interruption = new AbortController();
  const onEvent = (event: EngineEvent): void => {
    if (getChanged(event) !== undefined) interruption.abort();
  };
  await operation({ signal: interruption.signal, onEvent }).catch((error: unknown) => {
    if (!interruption.signal.aborted) throw error;
  });
  return interruption.signal.aborted;
}

test("up and destroy, interrupted at each resource in turn, go on where they were", async () => {
  const deployment = await startDeployment();
  const { session, stack, expectAccess } = deployment;
  const { operationOptions } = session.devStack;

  let ups = 0;
  while (await interrupt((options) => stack.up({ ...operationOptions, ...options }))) ups += 1;
  expect(ups).toBeGreaterThan(5);
  await expectAccess(await stack.outputs());
  // Each of the ten resources was made once.
  const writes = listWrites(session);
  expect(writes).toHaveLength(10);
  expect(new Set(writes.map((write) => write.split("/")[0])).size).toBe(10);

  let destroys = 0;
  while (await interrupt((options) => stack.destroy({ ...operationOptions, ...options }))) {
    destroys += 1;
  }
  expect(destroys).toBeGreaterThan(3);
  expect(session.azure.listResourceIds()).toEqual([]);
});

/** A deployment whose CLI can be killed. */
interface KillableDeployment extends Deployment {
  /**
   * Runs an operation and kills the CLI, without a chance to write anything down, once Azure has taken on one of the
   * changes and before the CLI can hear of it.
   *
   * @param writes methods and types of resources, such as `PUT natGateways`: the first to come is taken out
   * @returns which it was; undefined: none came, and the operation came to its end
   */
  readonly kill: (operation: "up" | "destroy", writes: Set<string>) => Promise<string | undefined>;
}

async function startKillable(): Promise<KillableDeployment> {
  let trap: { writes: ReadonlySet<string>; caught: string[] } | undefined;
  const deployment = await startDeployment({
    operationMs: 300,
    onRequest: ({ method, path }) => {
      const type = path.split("/").at(-2)?.replace("resourcegroups", "resourceGroups") ?? "";
      const write = `${method} ${type}`;
      if (trap?.writes.has(write) !== true) return;
      trap.caught.push(write);
      trap = undefined;
      // Azure and Pulumi's provider run in this process: neither gets any further before this is over.
      const found = execFileSync("pgrep", ["-P", String(process.pid), "pulumi"], {
        encoding: "utf8",
      });
      for (const pid of found.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
    },
  });
  return {
    ...deployment,
    kill: async (operation, writes) => {
      const caught: string[] = [];
      trap = { writes, caught };
      await deployment[operation]().catch((error: unknown) => {
        if (caught.length === 0) throw error;
      });
      for (const write of caught) writes.delete(write);
      return caught[0];
    },
  };
}

/** For each type of the stack's resources, the input that holds its name at Azure, and the API version to delete it with. */
const KINDS: Readonly<Record<string, { name: string; apiVersion: string }>> = {
  "resources:ResourceGroup": { name: "resourceGroupName", apiVersion: "2024-03-01" },
  "managedidentity:UserAssignedIdentity": { name: "resourceName", apiVersion: "2023-01-31" },
  "authorization:RoleAssignment": { name: "roleAssignmentName", apiVersion: "2022-04-01" },
  "network:NetworkSecurityGroup": { name: "networkSecurityGroupName", apiVersion: "2024-05-01" },
  "network:PublicIPAddress": { name: "publicIpAddressName", apiVersion: "2024-05-01" },
  "network:NatGateway": { name: "natGatewayName", apiVersion: "2024-05-01" },
  "network:VirtualNetwork": { name: "virtualNetworkName", apiVersion: "2024-05-01" },
  "network:Subnet": { name: "subnetName", apiVersion: "2024-05-01" },
  "network:NetworkInterface": { name: "networkInterfaceName", apiVersion: "2024-05-01" },
  "compute:VirtualMachine": { name: "vmName", apiVersion: "2024-11-01" },
};

/** What the CLI was about when it was killed. */
interface PendingOperation {
  readonly type: "creating" | "updating" | "deleting";
  readonly resource: {
    readonly type: string;
    readonly id?: string;
    readonly inputs: Readonly<Record<string, unknown>>;
  };
}

async function readPendingOperations(stack: Stack): Promise<PendingOperation[]> {
  const { deployment } = (await stack.exportStack()) as {
    deployment: { pending_operations?: PendingOperation[] };
  };
  return deployment.pending_operations ?? [];
}

/**
 * What the README says to do after the CLI was killed, in "When an operation was cut off".
 *
 * @returns types at Azure of what the CLI was about
 */
async function recover({ session, stack, callArm }: Deployment): Promise<string[]> {
  const { azure, devStack } = session;
  await stack.cancel();
  const found: string[] = [];
  for (const { type, resource } of await readPendingOperations(stack)) {
    const { name = "", apiVersion = "" } = KINDS[resource.type.replace("azure-native:", "")] ?? {};
    const id =
      type === "creating"
        ? azure.listResourceIds().find((each) => each.split("/").at(-1) === resource.inputs[name])
        : resource.id;
    if (id === undefined) continue;
    found.push(id.split("/").at(-2) ?? "");
    if (type === "creating") await callArm("DELETE", `${id}?api-version=${apiVersion}`);
    // What is under way ends at Azure all the same.
    await expect
      .poll(() => azure.listResourceIds(), { interval: 50, timeout: 30_000 })
      .not.toContain(id);
  }
  await stack.refresh({ ...devStack.operationOptions, clearPendingCreates: true });
  expect(await readPendingOperations(stack)).toEqual([]);
  return found;
}

test.skipIf(process.platform === "win32")(
  "up and destroy, killed at one resource after the other, go on once the rest is cleared away",
  async () => {
    const deployment = await startKillable();
    const { session, stack, kill, expectAccess } = deployment;
    async function killAtEach(operation: "up" | "destroy", writes: Set<string>): Promise<void> {
      for (let at = await kill(operation, writes); at; at = await kill(operation, writes)) {
        expect(await recover(deployment)).toContain(at.split(" ")[1]);
      }
    }

    const makes = [
      "resourceGroups",
      "userAssignedIdentities",
      "roleAssignments",
      "natGateways",
      "subnets",
      "virtualMachines",
    ];
    const left = new Set(makes.map((type) => `PUT ${type}`));
    await killAtEach("up", left);
    expect([...left]).toEqual([]);
    await expectAccess(await stack.outputs());
    // Nothing is there twice.
    const types = session.azure.listResourceIds().map((id) => id.split("/").at(-2));
    expect(new Set(types).size).toBe(types.length);

    // What is deleted at the same time as another may be gone before its own turn.
    const deletions = ["roleAssignments", "virtualMachines", "natGateways", "resourceGroups"];
    const undeleted = new Set(deletions.map((type) => `DELETE ${type}`));
    await killAtEach("destroy", undeleted);
    expect(undeleted.size).toBeLessThan(3);
    expect([...undeleted]).not.toContain("DELETE resourceGroups");
    expect(session.azure.listResourceIds()).toEqual([]);
  },
);
