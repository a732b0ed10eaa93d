import { describe, expect, it } from "vitest";

import {
  assignRole,
  callArm,
  CONTRIBUTOR,
  createClients,
  createVmStack,
  FAST,
  getRefusal,
  getVmToken,
  GROUP,
  LOCATION,
  READER,
  startForTest,
} from "./fixtures";
import type { RawAnswer } from "./fixtures";

const SUBSCRIPTION = "";
const GROUP_SCOPE = `/resourceGroups/${GROUP}`;
const COMPUTE = `${GROUP_SCOPE}/providers/Microsoft.Compute`;
const NETWORK = `${GROUP_SCOPE}/providers/Microsoft.Network`;
const VM = `${COMPUTE}/virtualMachines/vm-test`;
const SUBNET = `${NETWORK}/virtualNetworks/vnet-test/subnets/snet-test`;

async function startWithStack() {
  const azure = await startForTest();
  const clients = createClients(azure);
  const stack = await createVmStack(azure, clients);
  const call = (
    method: string,
    path: string,
    body?: object,
    apiVersion = "2020-05-01",
  ): Promise<RawAnswer> =>
    callArm(azure, `${path}?api-version=${apiVersion}`, {
      method,
      // axios calls an absent body of a POST a form.
      ...(method === "GET" || method === "DELETE" ? {} : { body: body ?? {} }),
    });
  const lock = (scope: string, level: string) =>
    call("PUT", `${scope}/providers/Microsoft.Authorization/locks/lock-test`, {
      properties: { level },
    });
  const unlock = (scope: string) =>
    call("DELETE", `${scope}/providers/Microsoft.Authorization/locks/lock-test`);
  return { azure, clients, stack, call, lock, unlock };
}

describe("locks", () => {
  it.each([SUBSCRIPTION, GROUP_SCOPE, VM, SUBNET])(
    "are made, changed, read, listed and deleted at '%s'",
    async (scope) => {
      const { azure, call, lock, unlock } = await startWithStack();
      const before = azure.listResourceIds();
      const path = `${scope}/providers/Microsoft.Authorization/locks`;
      expect((await lock(scope, "CanNotDelete")).status).toBe(201);
      const id = `/subscriptions/${azure.subscriptionId}${path}/lock-test`;
      const expected = {
        id,
        name: "lock-test",
        type: "Microsoft.Authorization/locks",
        properties: { level: "ReadOnly" },
      };
      expect(await lock(scope, "readonly")).toMatchObject({ status: 200, body: expected });
      expect((await call("GET", `${path}/lock-test`)).body).toEqual(expected);
      expect((await call("GET", path)).body).toEqual({ value: [expected] });
      expect(azure.listResourceIds()).toContain(id);
      expect((await unlock(scope)).status).toBe(200);
      expect((await unlock(scope)).status).toBe(204);
      expect((await call("GET", `${path}/lock-test`)).body.error?.code).toBe("LockNotFound");
      expect(azure.listResourceIds()).toEqual(before);
    },
  );

  it("are listed at, above and below a scope", async () => {
    const { lock, call } = await startWithStack();
    for (const scope of [SUBSCRIPTION, VM, SUBNET]) await lock(scope, "CanNotDelete");
    const list = async (scope: string) => {
      const { body } = await call("GET", `${scope}/providers/Microsoft.Authorization/locks`);
      return (body["value"] as unknown[]).length;
    };
    expect(await Promise.all([SUBSCRIPTION, GROUP_SCOPE, VM].map(list))).toEqual([3, 3, 2]);
  });

  it.each([
    ["no level", GROUP_SCOPE, {}, "400 InvalidRequestContent"],
    ["a level there isn't", GROUP_SCOPE, { level: "Never" }, "400 InvalidRequestContent"],
    ["owners", GROUP_SCOPE, { level: "ReadOnly", owners: [] }, "501 NotImplemented"],
    [
      "a group that isn't there",
      "/resourceGroups/no",
      { level: "ReadOnly" },
      "404 ResourceGroupNotFound",
    ],
    ["a resource that isn't there", `${VM}x`, { level: "ReadOnly" }, "404 ResourceNotFound"],
  ])("refuse %s", async (_, scope, properties, expected) => {
    const { call } = await startWithStack();
    const path = `${scope}/providers/Microsoft.Authorization/locks/lock-test`;
    const { status, body } = await call("PUT", path, { properties });
    expect(`${status} ${body.error?.code ?? ""}`).toBe(expected);
  });

  it("are nothing that a Contributor may make", async () => {
    const { azure, clients, stack } = await startWithStack();
    const scope = `/subscriptions/${azure.subscriptionId}${GROUP_SCOPE}`;
    await assignRole(azure, clients, CONTRIBUTOR, stack.principalId, scope);
    const token = await getVmToken(azure, stack.vmId, stack.clientId);
    const path = `${GROUP_SCOPE}/providers/Microsoft.Authorization/locks/lock-test`;
    const { status } = await callArm(azure, `${path}?api-version=2020-05-01`, {
      method: "PUT",
      authorization: `Bearer ${token}`,
      body: { properties: { level: "CanNotDelete" } },
    });
    expect(status).toBe(403);
  });
});

const ALLOWED = "no lock";
const LOCKED = "409 ScopeLocked";

describe("a lock", () => {
  it.each<
    [level: string, scope: string, method: string, path: string, version: string, expected: string]
  >([
    ["CanNotDelete", SUBSCRIPTION, "DELETE", VM, "2024-11-01", LOCKED],
    ["CanNotDelete", GROUP_SCOPE, "DELETE", VM, "2024-11-01", LOCKED],
    ["CanNotDelete", GROUP_SCOPE.toUpperCase(), "DELETE", VM, "2024-11-01", LOCKED],
    ["CanNotDelete", GROUP_SCOPE, "DELETE", GROUP_SCOPE, "2021-04-01", LOCKED],
    ["CanNotDelete", VM, "DELETE", VM, "2024-11-01", LOCKED],
    // What is locked keeps what it is in.
    ["CanNotDelete", VM, "DELETE", GROUP_SCOPE, "2021-04-01", LOCKED],
    [
      "CanNotDelete",
      SUBNET,
      "DELETE",
      `${NETWORK}/virtualNetworks/vnet-test`,
      "2024-05-01",
      LOCKED,
    ],
    ["CanNotDelete", VM, "DELETE", `${NETWORK}/natGateways/other`, "2024-05-01", ALLOWED],
    ["CanNotDelete", GROUP_SCOPE, "PATCH", VM, "2024-11-01", ALLOWED],
    ["CanNotDelete", GROUP_SCOPE, "POST", `${VM}/deallocate`, "2024-11-01", ALLOWED],
    ["CanNotDelete", GROUP_SCOPE, "GET", VM, "2024-11-01", ALLOWED],
    ["ReadOnly", GROUP_SCOPE, "DELETE", VM, "2024-11-01", LOCKED],
    ["ReadOnly", GROUP_SCOPE, "PATCH", VM, "2024-11-01", LOCKED],
    ["ReadOnly", GROUP_SCOPE, "PUT", GROUP_SCOPE, "2021-04-01", LOCKED],
    ["ReadOnly", GROUP_SCOPE, "POST", `${VM}/deallocate`, "2024-11-01", LOCKED],
    ["ReadOnly", VM, "PATCH", GROUP_SCOPE, "2021-04-01", ALLOWED],
    ["ReadOnly", GROUP_SCOPE, "GET", VM, "2024-11-01", ALLOWED],
  ])(
    "%s at '%s' makes of %s '%s' (%s): %s",
    async (level, scope, method, path, version, expected) => {
      const { azure, call, lock } = await startWithStack();
      await lock(scope, level);
      const before = azure.listResourceIds();
      const { status, body } = await call(method, path, { tags: {}, location: LOCATION }, version);
      if (expected === LOCKED) {
        expect(`${status} ${body.error?.code ?? ""}`).toBe(LOCKED);
        const operation = method === "DELETE" ? "delete" : "write";
        expect(body.error?.message).toContain(`cannot perform ${operation} operation`);
        expect(azure.listResourceIds()).toEqual(before);
      } else {
        expect(status).toBeLessThan(300);
      }
    },
  );

  it.each([
    ["CanNotDelete", "no refusal"],
    ["ReadOnly", LOCKED],
  ])("of level %s keeps role assignments, and makes of a new one: %s", async (level, creation) => {
    const { azure, clients, stack, lock, unlock } = await startWithStack();
    const scope = `/subscriptions/${azure.subscriptionId}${GROUP_SCOPE}`;
    const name = await assignRole(azure, clients, READER, stack.principalId, scope);
    await lock(GROUP_SCOPE, level);
    const { roleAssignments } = clients.authorization;
    const remove = () => roleAssignments.delete(scope.slice(1), name);
    expect(await getRefusal(remove())).toBe(LOCKED);
    const created = assignRole(azure, clients, CONTRIBUTOR, stack.principalId, scope);
    expect(await getRefusal(created)).toBe(creation);
    await unlock(GROUP_SCOPE);
    expect(await getRefusal(remove())).toBe("no refusal");
  });

  it("goes before its group can", async () => {
    const { azure, clients, lock, unlock } = await startWithStack();
    await lock(VM, "CanNotDelete");
    expect(await getRefusal(clients.groups.beginDeleteAndWait(GROUP, FAST))).toBe(LOCKED);
    await unlock(VM);
    await clients.groups.beginDeleteAndWait(GROUP, FAST);
    expect(azure.listResourceIds()).toEqual([]);
  });
});
