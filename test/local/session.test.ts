import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { startSession } from "../../local/session";
import { createScript } from "../../verify/powershell";
import { useBundle } from "../verify/runs";
import { assignRole, createClients, createVmStack, FAST, GROUP } from "./azure/fixtures";
import { LOCATION, READER } from "./azure/fixtures";

const getBundle = useBundle();

/** A session with a VM, whose run commands are put by what this returns. */
async function startWithVm() {
  const session = await startSession({ env: process.env, log: console.log });
  onTestFinished(() => session.close());
  const clients = createClients(session.azure);
  const stack = await createVmStack(session.azure, clients);
  const { virtualMachineRunCommands } = clients.compute;
  const run = async (script: string) => {
    const body = {
      location: LOCATION,
      source: { script },
      parameters: [
        { name: "client-id", value: stack.clientId },
        { name: "wait", value: "0" },
      ],
    };
    const names = [GROUP, "vm-test", "verify"] as const;
    await virtualMachineRunCommands.beginCreateOrUpdateAndWait(...names, body, FAST);
    const expand = "instanceView";
    const { instanceView } = await virtualMachineRunCommands.getByVirtualMachine(...names, {
      expand,
    });
    return instanceView;
  };
  return { session, clients, stack, run };
}

test("a run command of verify.ps1 runs verify as the VM, which fails until its role is there", async () => {
  const { session, clients, stack, run } = await startWithVm();
  const script = createScript(await readFile(getBundle().file));
  const denied = await run(script);
  expect(denied).toMatchObject({ executionState: "Failed" });
  expect(denied?.exitCode).toBeGreaterThan(0);
  expect(`${denied?.output ?? ""}${denied?.error ?? ""}`).toContain("ACCESS_DENIED");

  const scope = `/subscriptions/${session.azure.subscriptionId}/resourceGroups/${GROUP}`;
  await assignRole(session.azure, clients, READER, stack.principalId, scope);
  const granted = await run(`${script}\n# once more`);
  expect(granted).toMatchObject({ executionState: "Succeeded", exitCode: 0 });
  expect(granted?.output).toContain(GROUP);
});

test("a run command of any other script fails and says why", async () => {
  const { run } = await startWithVm();
  expect(await run("Get-Date")).toMatchObject({
    executionState: "Failed",
    exitCode: 1,
    error: expect.stringContaining("no other script") as string,
  });
});
