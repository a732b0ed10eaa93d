import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import { BUILT_IN_ROLES, isAllowed, isAtOrBelow } from "../../../local/azure/rbac";
import {
  assignRole,
  callArm,
  CONTRIBUTOR,
  createClients,
  createVmStack,
  getRefusal,
  getVmToken,
  GROUP,
  LOCATION,
  READER,
  startForTest,
} from "./fixtures";

const OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";

describe("a role", () => {
  it.each([
    [READER, "Microsoft.Resources/subscriptions/resourceGroups/read", true],
    [READER, "Microsoft.Compute/virtualMachines/READ", true],
    [READER, "Microsoft.Compute/virtualMachines/write", false],
    [READER, "Microsoft.Compute/virtualMachines/readers/action", false],
    [CONTRIBUTOR, "Microsoft.Compute/virtualMachines/write", true],
    [CONTRIBUTOR, "Microsoft.Authorization/roleAssignments/write", false],
    [CONTRIBUTOR, "microsoft.authorization/roleassignments/delete", false],
    [CONTRIBUTOR, "Microsoft.Authorization/roleAssignments/read", true],
    [USER_ACCESS_ADMINISTRATOR, "Microsoft.Authorization/roleAssignments/write", true],
    [USER_ACCESS_ADMINISTRATOR, "Microsoft.Compute/virtualMachines/write", false],
    [OWNER, "Microsoft.Authorization/roleAssignments/write", true],
  ])("%s on %s: %s", (id, action, expected) => {
    const role = BUILT_IN_ROLES.find((one) => one.id === id);
    expect(role && isAllowed(role, action)).toBe(expected);
  });

  it.each([
    ["/subscriptions/s/resourceGroups/RG/providers/x", "/subscriptions/s/resourcegroups/rg", true],
    ["/subscriptions/s/resourceGroups/rg", "/subscriptions/s/resourceGroups/rg", true],
    ["/subscriptions/s/resourceGroups/rg2", "/subscriptions/s/resourceGroups/rg", false],
    ["/subscriptions/s", "/subscriptions/s/resourceGroups/rg", false],
  ])("assigned at a scope counts below it: %s in %s: %s", (scope, ancestor, expected) => {
    expect(isAtOrBelow(scope, ancestor)).toBe(expected);
  });
});

describe("authorization", () => {
  it("lets a Reader of the group read it, and nothing else", async () => {
    const azure = await startForTest();
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    const groupId = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`;
    const vm = createClients(azure, await getVmToken(azure, stack.vmId, stack.clientId));
    expect(await getRefusal(vm.groups.get(GROUP))).toBe("403 AuthorizationFailed");

    await assignRole(azure, deployer, READER, stack.principalId, groupId);
    expect(await vm.groups.get(GROUP)).toMatchObject({ id: groupId, location: LOCATION });
    expect((await vm.compute.virtualMachines.get(GROUP, "vm-test")).name).toBe("vm-test");
    const refusals = await Promise.all(
      [
        vm.groups.createOrUpdate(GROUP, { location: LOCATION }),
        vm.groups.beginDeleteAndWait(GROUP),
        vm.compute.virtualMachines.beginDeallocateAndWait(GROUP, "vm-test"),
        vm.groups.get("another"),
        assignRole(azure, vm, OWNER, stack.principalId, groupId),
      ].map(getRefusal),
    );
    expect(refusals).toEqual(refusals.map(() => "403 AuthorizationFailed"));
  });

  it.each<
    [string, string, (ids: { subscription: string; group: string; vm: string }) => string, string[]]
  >([
    ["the one group of its role", READER, ({ group }) => group, [GROUP]],
    [
      "all with a role on the subscription",
      READER,
      ({ subscription }) => subscription,
      [GROUP, "rg-2"],
    ],
    ["none with a role on a VM alone", READER, ({ vm }) => vm, []],
  ])("lists of the groups %s", async (_, role, getScope, expected) => {
    const azure = await startForTest();
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    await deployer.groups.createOrUpdate("rg-2", { location: LOCATION });
    const vm = createClients(azure, await getVmToken(azure, stack.vmId, stack.clientId));
    expect(await getRefusal(vm.groups.list().next())).toBe("403 AuthorizationFailed");

    const subscription = `/subscriptions/${azure.subscriptionId}`;
    const group = `${subscription}/resourceGroups/${GROUP}`;
    const scope = getScope({ subscription, group, vm: stack.vmId });
    await assignRole(azure, deployer, role, stack.principalId, scope);
    const names: unknown[] = [];
    for await (const { name } of vm.groups.list()) names.push(name);
    expect(names).toEqual(expected);
  });

  it("refuses in Azure's words", async () => {
    const azure = await startForTest();
    const stack = await createVmStack(azure, createClients(azure));
    const token = await getVmToken(azure, stack.vmId, stack.clientId);
    const { body } = await callArm(azure, `/resourcegroups/${GROUP}?api-version=2021-04-01`, {
      authorization: `Bearer ${token}`,
    });
    expect(body.error?.message).toBe(
      `The client '${stack.clientId}' with object id '${stack.principalId}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    );
  });

  it.each([
    [
      "the subscription",
      (azure: { subscriptionId: string }) => `/subscriptions/${azure.subscriptionId}`,
      "no refusal",
    ],
    ["the VM only", (_: unknown, stack: { vmId: string }) => stack.vmId, "403 AuthorizationFailed"],
  ])("inherits from %s", async (_, getScope, expected) => {
    const azure = await startForTest();
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    await assignRole(azure, deployer, READER, stack.principalId, getScope(azure, stack));
    const vm = createClients(azure, await getVmToken(azure, stack.vmId, stack.clientId));
    expect(await getRefusal(vm.groups.get(GROUP))).toBe(expected);
    expect(await getRefusal(vm.compute.virtualMachines.get(GROUP, "vm-test"))).toBe("no refusal");
  });

  it("takes its time to know of a new role assignment", async () => {
    const azure = await startForTest({ rolePropagationMs: 300 });
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    const vm = createClients(azure, await getVmToken(azure, stack.vmId, stack.clientId));
    const groupId = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`;
    await assignRole(azure, deployer, READER, stack.principalId, groupId);
    expect(await getRefusal(vm.groups.get(GROUP))).toBe("403 AuthorizationFailed");
    await sleep(320);
    expect(await getRefusal(vm.groups.get(GROUP))).toBe("no refusal");
  });

  it("ends with the role assignment, under the same token", async () => {
    const azure = await startForTest();
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    const groupId = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`;
    const name = await assignRole(azure, deployer, READER, stack.principalId, groupId);
    const vm = createClients(azure, await getVmToken(azure, stack.vmId, stack.clientId));
    expect(await getRefusal(vm.groups.get(GROUP))).toBe("no refusal");
    await deployer.authorization.roleAssignments.delete(groupId.slice(1), name);
    expect(await getRefusal(vm.groups.get(GROUP))).toBe("403 AuthorizationFailed");
  });

  it("tells a caller its permissions", async () => {
    const azure = await startForTest();
    const deployer = createClients(azure);
    const stack = await createVmStack(azure, deployer);
    const groupId = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`;
    await assignRole(azure, deployer, READER, stack.principalId, groupId);
    const token = await getVmToken(azure, stack.vmId, stack.clientId);
    const path = `/resourceGroups/${GROUP}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`;
    const { body } = await callArm(azure, path, { authorization: `Bearer ${token}` });
    expect(body["value"]).toEqual([
      { actions: ["*/read"], notActions: [], dataActions: [], notDataActions: [] },
    ]);
    const { permissions } = deployer.authorization;
    const own: unknown[] = [];
    for await (const one of permissions.listForResourceGroup(GROUP)) own.push(one.actions);
    expect(own).toEqual([["*"]]);
  });
});
