import { describe, expect, it } from "vitest";

import type { LocalAzure, RunScript, ScriptRequest } from "../../../local/azure";
import { callArm, createClients, createVmStack, FAST, getRefusal, GROUP } from "./fixtures";
import { LOCATION, startForTest } from "./fixtures";
import type { Clients, RawAnswer } from "./fixtures";

const SECRET = "Sesame-9z";

/** What ran on the VM, and how it is to end. */
interface Guest {
  runs: Omit<ScriptRequest, "signal">[];
  answer: RunScript;
}

interface Setting {
  azure: LocalAzure;
  clients: Clients;
  vmId: string;
  guest: Guest;
}

async function startWithVm(operationMs = 0): Promise<Setting> {
  const guest: Guest = {
    runs: [],
    answer: () => Promise.resolve({ exitCode: 0, output: "done", error: "" }),
  };
  const azure = await startForTest({
    operationMs,
    runScript: ({ signal, ...request }) => {
      guest.runs.push(request);
      return guest.answer({ signal, ...request });
    },
  });
  const clients = createClients(azure);
  const { vmId } = await createVmStack(azure, clients);
  return { azure, clients, vmId, guest };
}

/** Ends when it is stopped, and not before. */
const runForever: RunScript = ({ signal }) =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(new Error("stopped"));
    });
  });

function call(azure: LocalAzure, method: string, body?: object, query = ""): Promise<RawAnswer> {
  const path = `/resourceGroups/${GROUP}/providers/Microsoft.Compute/virtualMachines/vm-test/runCommands/check`;
  return callArm(azure, `${path}?api-version=2024-11-01${query}`, { method, body });
}

/** A PUT to the end of its operation: the status of the answer, and how the operation ended. */
async function put(
  azure: LocalAzure,
  properties: object,
  more: object = {},
): Promise<{ status: number; outcome: string; message: string }> {
  const { status, headers, body } = await call(azure, "PUT", {
    location: LOCATION,
    properties: { source: { script: "Get-Date" }, ...properties },
    ...more,
  });
  if (body.error !== undefined) {
    return { status, outcome: body.error.code, message: body.error.message };
  }
  const operation = `/${(headers["azure-asyncoperation"] ?? "").slice(azure.armEndpoint.length)}`;
  for (;;) {
    const poll = await callArm(azure, operation);
    const { status: state, error } = poll.body as { status?: string } & RawAnswer["body"];
    if (state === "InProgress") continue;
    return { status, outcome: error?.code ?? state ?? "", message: error?.message ?? "" };
  }
}

async function getInstanceView(azure: LocalAzure): Promise<Record<string, unknown>> {
  const { body } = await call(azure, "GET", undefined, "&$expand=instanceView");
  return body.properties?.["instanceView"] as Record<string, unknown>;
}

describe("run commands", () => {
  it("run their script once with its parameters, and show how it went only when asked", async () => {
    const { azure, clients, guest, vmId } = await startWithVm();
    const { virtualMachineRunCommands } = clients.compute;
    const created = await virtualMachineRunCommands.beginCreateOrUpdateAndWait(
      GROUP,
      "vm-test",
      "check",
      {
        location: LOCATION,
        tags: { a: "1" },
        source: { script: "Get-Date" },
        parameters: [{ name: "wait", value: "0" }],
        protectedParameters: [{ name: "key", value: SECRET }],
        treatFailureAsDeploymentFailure: true,
        timeoutInSeconds: 60,
      },
      FAST,
    );
    expect(guest.runs).toEqual([
      {
        vmId,
        script: "Get-Date",
        parameters: [
          { name: "wait", value: "0" },
          { name: "key", value: SECRET },
        ],
      },
    ]);
    expect(created).toMatchObject({
      id: `${vmId}/runCommands/check`,
      type: "Microsoft.Compute/virtualMachines/runCommands",
      provisioningState: "Succeeded",
    });
    const shown = await virtualMachineRunCommands.getByVirtualMachine(GROUP, "vm-test", "check");
    expect(shown).toMatchObject({
      location: LOCATION,
      tags: { a: "1" },
      source: { script: "Get-Date" },
      parameters: [{ name: "wait", value: "0" }],
      asyncExecution: false,
      treatFailureAsDeploymentFailure: true,
      timeoutInSeconds: 60,
    });
    expect(shown.instanceView).toBeUndefined();

    const expanded = { expand: "instanceView" };
    const full = await virtualMachineRunCommands.getByVirtualMachine(
      GROUP,
      "vm-test",
      "check",
      expanded,
    );
    expect(full.instanceView).toMatchObject({
      executionState: "Succeeded",
      exitCode: 0,
      output: "done",
      error: "",
      startTime: expect.any(Date) as Date,
      endTime: expect.any(Date) as Date,
    });
    const listed: unknown[] = [];
    for await (const one of virtualMachineRunCommands.listByVirtualMachine(
      GROUP,
      "vm-test",
      expanded,
    )) {
      listed.push([one.name, one.instanceView?.exitCode]);
    }
    expect(listed).toEqual([["check", 0]]);
    const texts = await Promise.all([
      call(azure, "GET"),
      call(azure, "GET", undefined, "&$expand=instanceView"),
    ]);
    expect(JSON.stringify(texts)).not.toContain(SECRET);
    expect(JSON.stringify(texts)).not.toContain("protectedParameters");
  });

  it.each<[string, object, object, number]>([
    ["nothing", {}, {}, 1],
    ["its tags", {}, { tags: { a: "2" } }, 1],
    ["its script", { source: { script: "Get-Date # 2" } }, {}, 2],
    ["a parameter", { parameters: [{ name: "wait", value: "5" }] }, {}, 2],
    ["a secret parameter", { protectedParameters: [{ name: "key", value: "2" }] }, {}, 2],
    ["its time", { timeoutInSeconds: 61 }, {}, 2],
  ])("run again or not with a change of: %s", async (_, change, more, runs) => {
    const { azure, guest } = await startWithVm();
    const properties = {
      parameters: [{ name: "wait", value: "0" }],
      protectedParameters: [{ name: "key", value: SECRET }],
    };
    expect(await put(azure, properties)).toMatchObject({ status: 201, outcome: "Succeeded" });
    expect(await put(azure, { ...properties, ...change }, more)).toMatchObject({
      status: 200,
      outcome: "Succeeded",
    });
    expect(guest.runs).toHaveLength(runs);
  });

  it.each([
    [true, "VMExtensionProvisioningError", "Failed"],
    [false, "Succeeded", "Succeeded"],
  ])(
    "with treatFailureAsDeploymentFailure %s, make of a failed script the outcome %s",
    async (treatFailureAsDeploymentFailure, outcome, provisioningState) => {
      const { azure, guest } = await startWithVm();
      guest.answer = () => Promise.resolve({ exitCode: 20, output: "half", error: "no token" });
      const properties = { treatFailureAsDeploymentFailure };
      const first = await put(azure, properties);
      expect(first).toMatchObject({ status: 201, outcome });
      if (treatFailureAsDeploymentFailure) expect(first.message).toContain("exit code of: '20'");
      expect((await call(azure, "GET")).body.properties).toMatchObject({ provisioningState });
      expect(await getInstanceView(azure)).toMatchObject({
        executionState: "Failed",
        exitCode: 20,
        output: "half",
        error: "no token",
      });
      // Put again as it is, it has the same outcome without another run.
      guest.answer = () => Promise.resolve({ exitCode: 0, output: "", error: "" });
      expect((await put(azure, properties)).outcome).toBe(outcome);
      expect(guest.runs).toHaveLength(1);
      const repaired = await put(azure, { ...properties, source: { script: "Get-Date # 2" } });
      expect(repaired.outcome).toBe("Succeeded");
    },
  );

  it("fail, and say why, when their script can't be run at all", async () => {
    const { azure, guest } = await startWithVm();
    guest.answer = () => Promise.reject(new Error("no shell"));
    const { message } = await put(azure, { treatFailureAsDeploymentFailure: true });
    expect(message).toContain("no shell");
    const view = await getInstanceView(azure);
    expect(view).toMatchObject({ executionState: "Failed", executionMessage: "no shell" });
    expect(view).not.toHaveProperty("exitCode");
  });

  it("fail in an Azure that was given no way to run scripts", async () => {
    const azure = await startForTest();
    await createVmStack(azure, createClients(azure));
    expect((await put(azure, {})).outcome).toBe("Succeeded");
    expect(await getInstanceView(azure)).toMatchObject({ executionState: "Failed" });
  });

  it("keep the last 4 KB of what a script writes", async () => {
    const { azure, guest } = await startWithVm();
    const text = `${"x".repeat(5000)}the end`;
    guest.answer = () => Promise.resolve({ exitCode: 0, output: text, error: text });
    await put(azure, {});
    expect(await getInstanceView(azure)).toMatchObject({
      output: text.slice(-4096),
      error: text.slice(-4096),
    });
  });

  it("are stopped after their time", async () => {
    const { azure, guest } = await startWithVm();
    guest.answer = runForever;
    const properties = { timeoutInSeconds: 1, treatFailureAsDeploymentFailure: true };
    expect((await put(azure, properties)).message).toContain("timed out");
    expect(await getInstanceView(azure)).toMatchObject({ executionState: "TimedOut" });
  });

  it.each<[string, (setting: Setting) => Promise<unknown>]>([
    [
      "the run command is deleted",
      ({ clients }) =>
        clients.compute.virtualMachineRunCommands.beginDeleteAndWait(GROUP, "vm-test", "check"),
    ],
    [
      "the VM is deleted",
      ({ clients }) => clients.compute.virtualMachines.beginDeleteAndWait(GROUP, "vm-test", FAST),
    ],
    [
      "the VM is deallocated",
      ({ clients }) => clients.compute.virtualMachines.beginDeallocateAndWait(GROUP, "vm-test"),
    ],
    ["its script changes", ({ azure }) => put(azure, { source: { script: "Get-Date # 2" } })],
    ["the group is deleted", ({ clients }) => clients.groups.beginDeleteAndWait(GROUP, FAST)],
    ["this Azure stops", ({ azure }) => azure.close()],
  ])("go on when asynchronous, until %s", async (_, stop) => {
    const setting = await startWithVm();
    const { azure, guest } = setting;
    const stopped = new Promise<void>((resolve) => {
      guest.answer = (request) => {
        guest.answer = () => Promise.resolve({ exitCode: 0, output: "", error: "" });
        request.signal.addEventListener("abort", () => {
          resolve();
        });
        return runForever(request);
      };
    });
    expect(await put(azure, { asyncExecution: true })).toMatchObject({ outcome: "Succeeded" });
    expect(await getInstanceView(azure)).toMatchObject({ executionState: "Running" });
    await stop(setting);
    await stopped;
  });

  it("answer while the script runs, and aren't put again meanwhile", async () => {
    const { azure, guest } = await startWithVm();
    guest.answer = runForever;
    const body = { location: LOCATION, properties: { source: { script: "Get-Date" } } };
    const created = await call(azure, "PUT", body);
    expect(created.status).toBe(201);
    expect(created.headers).not.toHaveProperty("retry-after");
    expect(created.body.properties).toMatchObject({ provisioningState: "Creating" });
    const again = await call(azure, "PUT", body);
    expect([again.status, again.body.error?.code]).toEqual([409, "AnotherOperationInProgress"]);
  });

  it("go with their VM, and are among the resources of their group", async () => {
    const { azure, clients, vmId } = await startWithVm();
    await put(azure, {});
    const id = `${vmId}/runCommands/check`;
    expect(azure.listResourceIds()).toContain(id);
    const types: unknown[] = [];
    for await (const one of clients.resources.listByResourceGroup(GROUP)) types.push(one.type);
    expect(types).toContain("Microsoft.Compute/virtualMachines/runCommands");
    await clients.compute.virtualMachines.beginDeleteAndWait(GROUP, "vm-test", FAST);
    expect(azure.listResourceIds()).not.toContain(id);
  });

  it("change with a PATCH, and run again if that changes what runs", async () => {
    const { azure, guest } = await startWithVm();
    await put(azure, { parameters: [{ name: "wait", value: "0" }] });
    const tags = { method: "PATCH", body: { tags: { a: "1" } } };
    expect((await call(azure, tags.method, tags.body)).status).toBe(200);
    expect(guest.runs).toHaveLength(1);
    await call(azure, "PATCH", { properties: { source: { script: "Get-Date # 2" } } });
    expect(guest.runs[1]).toMatchObject({
      script: "Get-Date # 2",
      parameters: [{ name: "wait", value: "0" }],
    });
    expect((await call(azure, "GET")).body).toMatchObject({ tags: { a: "1" } });
  });
});

describe("run commands refuse", () => {
  it.each<[string, object, object, string]>([
    ["no location", {}, { location: undefined }, "400 LocationRequired"],
    ["no source", { source: {} }, {}, "400 InvalidParameter"],
    ["two sources", { source: { script: "a", commandId: "IPConfig" } }, {}, "400 InvalidParameter"],
    ["no time", { timeoutInSeconds: 0 }, {}, "400 InvalidParameter"],
    ["a time in words", { timeoutInSeconds: "1 h" }, {}, "400 InvalidRequestContent"],
    ["a flag in words", { asyncExecution: "yes" }, {}, "400 InvalidRequestContent"],
    ["what isn't here: a URI", { source: { scriptUri: "https://x" } }, {}, "501 NotImplemented"],
    ["what isn't here: a command", { source: { commandId: "a" } }, {}, "501 NotImplemented"],
    ["what isn't here: blobs", { outputBlobUri: "https://x" }, {}, "501 NotImplemented"],
    ["what isn't here: a user", { runAsUser: "joe" }, {}, "501 NotImplemented"],
  ])("%s", async (_, properties, more, expected) => {
    const { azure, guest } = await startWithVm();
    const { status, outcome } = await put(azure, properties, more);
    expect(`${status} ${outcome}`).toBe(expected);
    expect(guest.runs).toEqual([]);
    expect((await call(azure, "GET")).status).toBe(404);
  });

  it.each<"beginPowerOffAndWait" | "beginDeallocateAndWait">([
    "beginPowerOffAndWait",
    "beginDeallocateAndWait",
  ])("a VM after %s, to be put and to be deleted", async (action) => {
    const { azure, clients } = await startWithVm();
    await put(azure, {});
    await clients.compute.virtualMachines[action](GROUP, "vm-test", FAST);
    const expected = { status: 409, outcome: "OperationNotAllowed" };
    expect(await put(azure, { source: { script: "Get-Date # 2" } })).toMatchObject(expected);
    const { status, body } = await call(azure, "DELETE");
    expect([status, body.error?.code]).toEqual([409, "OperationNotAllowed"]);
  });

  it("a VM that is being created", async () => {
    const azure = await startForTest({ operationMs: 200 });
    const clients = createClients(azure);
    const creation = createVmStack(azure, clients);
    let outcome = "";
    while (!outcome.startsWith("409")) {
      const answer = await put(azure, {});
      outcome = `${answer.status} ${answer.outcome}`;
      expect(outcome).toMatch(/^404|^409 Conflict$/);
    }
    await creation;
  });

  it("a VM that isn't there", async () => {
    const { azure, clients } = await startWithVm();
    await clients.compute.virtualMachines.beginDeleteAndWait(GROUP, "vm-test", FAST);
    expect(await put(azure, {})).toMatchObject({ status: 404, outcome: "ParentResourceNotFound" });
  });

  it("a twenty-sixth on one VM", async () => {
    const { clients } = await startWithVm();
    const create = (name: string) =>
      clients.compute.virtualMachineRunCommands.beginCreateOrUpdateAndWait(
        GROUP,
        "vm-test",
        name,
        { location: LOCATION, source: { script: "Get-Date" } },
        FAST,
      );
    await Promise.all(Array.from({ length: 25 }, (_, index) => create(`check-${index}`)));
    expect(await getRefusal(create("check-25"))).toBe("409 OperationNotAllowed");
    expect(await getRefusal(create("check-0"))).toBe("no refusal");
  });

  it("a PATCH that would lose secrets, which aren't kept", async () => {
    const { azure } = await startWithVm();
    await put(azure, { protectedParameters: [{ name: "key", value: SECRET }] });
    expect((await call(azure, "PATCH", { tags: {} })).status).toBe(501);
  });
});
