import { execFileSync } from "node:child_process";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
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

/** Kills the CLI, without a chance to write anything down, while it makes or deletes that resource. */
async function kill(
  operation: (options: Interruptible) => Promise<unknown>,
  resource: string,
): Promise<void> {
  const onEvent = (event: EngineEvent): void => {
    if (getChanged(event) !== resource) return;
    const found = execFileSync("pgrep", ["-P", String(process.pid), "pulumi"], {
      encoding: "utf8",
    });
    for (const pid of found.trim().split("\n")) process.kill(Number(pid), "SIGKILL");
  };
  await expect(operation({ onEvent })).rejects.toThrow();
}

/** Ids at Azure of what the CLI was making when it was killed, by the names that it had given. */
async function listHalfMade(stack: Stack, ids: readonly string[]): Promise<string[]> {
  const { pending_operations: pending = [] } = (await stack.exportStack()).deployment as {
    pending_operations?: { type: string; resource: { inputs: object } }[];
  };
  const names = pending
    .filter(({ type }) => type === "creating")
    .flatMap(({ resource }) => Object.values(resource.inputs) as unknown[]);
  return ids.filter((id) => id.includes("/providers/") && names.includes(id.split("/").at(-1)));
}

const API_VERSIONS: Readonly<Record<string, string>> = {
  "Microsoft.Compute": "2024-11-01",
  "Microsoft.Network": "2024-05-01",
  "Microsoft.ManagedIdentity": "2023-01-31",
};

/** What the README says to do after the CLI was killed, in "When an operation was cut off". */
async function recover({ session, stack, callArm }: Deployment): Promise<void> {
  await stack.cancel();
  // What was under way ends at Azure all the same.
  await new Promise((resolve) => setTimeout(resolve, 500));
  for (const id of await listHalfMade(stack, session.azure.listResourceIds())) {
    const [, provider = ""] = /\/providers\/([^/]+)/.exec(id) ?? [];
    await callArm("DELETE", `${id}?api-version=${API_VERSIONS[provider] ?? ""}`);
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  await stack.refresh({ ...session.devStack.operationOptions, clearPendingCreates: true });
}

describe.skipIf(process.platform === "win32")("a CLI that was killed", () => {
  test("while it made the NAT gateway: up makes it again, and nothing is there twice", async () => {
    const deployment = await startDeployment({ operationMs: 300 });
    const { session, stack, up, expectAccess, destroy } = deployment;
    const { operationOptions } = session.devStack;

    await kill((options) => stack.up({ ...operationOptions, ...options }), "nat-gateway");
    expect(await listHalfMade(stack, session.azure.listResourceIds())).not.toEqual([]);
    await recover(deployment);
    await expectAccess((await up()).outputs);
    const types = session.azure.listResourceIds().map((id) => id.split("/").at(-2));
    expect(new Set(types).size).toBe(types.length);

    await destroy();
    expect(session.azure.listResourceIds()).toEqual([]);
  });

  test.each(["made", "deleted"])("while it %s the VM: destroy leaves nothing", async (event) => {
    const deployment = await startDeployment({ operationMs: 300 });
    const { session, stack, up, destroy } = deployment;
    const { operationOptions } = session.devStack;
    if (event === "deleted") await up();

    const operation = event === "made" ? stack.up.bind(stack) : stack.destroy.bind(stack);
    await kill((options) => operation({ ...operationOptions, ...options }), "windows-vm");
    await recover(deployment);
    await destroy();
    expect(session.azure.listResourceIds()).toEqual([]);
  });
});
