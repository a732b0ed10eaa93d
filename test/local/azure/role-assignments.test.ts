import { randomUUID } from "node:crypto";

import { describe, expect, it } from "vitest";

import type { LocalAzure } from "../../../local/azure";
import {
  assignRole,
  callArm,
  CONTRIBUTOR,
  createClients,
  FAST,
  getRefusal,
  GROUP,
  LOCATION,
  READER,
  startForTest,
} from "./fixtures";
import type { Clients } from "./fixtures";

interface Setting {
  azure: LocalAzure;
  clients: Clients;
  principalId: string;
  scope: string;
}

async function startWithIdentity(): Promise<Setting> {
  const azure = await startForTest();
  const clients = createClients(azure);
  await clients.groups.createOrUpdate(GROUP, { location: LOCATION });
  const { principalId = "" } = await clients.identities.createOrUpdate(GROUP, "id-test", {
    location: LOCATION,
  });
  return {
    azure,
    clients,
    principalId,
    scope: `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`,
  };
}

function getRoleId(azure: LocalAzure, role: string): string {
  return `/subscriptions/${azure.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
}

describe("role assignments", () => {
  it("are made, read and deleted", async () => {
    const { azure, clients, principalId, scope } = await startWithIdentity();
    const { roleAssignments } = clients.authorization;
    const name = await assignRole(azure, clients, READER, principalId, scope);
    const read = await roleAssignments.get(scope.slice(1), name);
    expect(read).toMatchObject({
      id: `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`,
      type: "Microsoft.Authorization/roleAssignments",
      scope,
      principalId,
      principalType: "ServicePrincipal",
      roleDefinitionId: getRoleId(azure, READER),
    });
    expect(azure.listResourceIds()).toContain(read.id);
    expect((await roleAssignments.delete(scope.slice(1), name)).id).toBe(read.id);
    expect(await getRefusal(roleAssignments.get(scope.slice(1), name))).toBe(
      "404 RoleAssignmentNotFound",
    );
    const again = await callArm(
      azure,
      `/resourceGroups/${GROUP}/providers/Microsoft.Authorization/roleAssignments/${name}?api-version=2022-04-01`,
      { method: "DELETE" },
    );
    expect(again.status).toBe(204);
  });

  it("keep the role of the subscription, also when the tenant's was given", async () => {
    const { azure, clients, principalId, scope } = await startWithIdentity();
    const { roleDefinitionId } = await clients.authorization.roleAssignments.create(
      scope.slice(1),
      randomUUID(),
      {
        principalId,
        principalType: "ServicePrincipal",
        roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${READER}`,
      },
    );
    expect(roleDefinitionId).toBe(getRoleId(azure, READER));
  });

  it.each([
    ["a name that isn't a GUID", { name: "reader" }, "400 InvalidRoleAssignmentId"],
    ["no principal", { principalId: undefined }, "400 BadRequestFormat"],
    ["a principal id that isn't one", { principalId: "x" }, "400 InvalidPrincipalId"],
    ["a role's GUID alone", { roleDefinitionId: READER }, "400 BadRequestFormat"],
    [
      "an unknown role",
      { roleDefinitionId: `/providers/x/${randomUUID()}` },
      "404 RoleDefinitionDoesNotExist",
    ],
    ["another principal type", { principalType: "User" }, "400 UnmatchedPrincipalType"],
    ["a principal type there isn't", { principalType: "Robot" }, "400 InvalidPrincipalType"],
    [
      "an unknown user",
      { principalId: randomUUID(), principalType: "User" },
      "400 PrincipalNotFound",
    ],
    [
      "an unknown principal of no type",
      { principalId: randomUUID(), principalType: undefined },
      "400 PrincipalNotFound",
    ],
    ["a group that isn't there", { group: "nowhere" }, "404 ResourceGroupNotFound"],
    ["a condition", { condition: "true" }, "501 NotImplemented"],
  ])("refuse %s", async (_, change, expected) => {
    const { azure, principalId } = await startWithIdentity();
    const { name = randomUUID(), group = GROUP, ...properties } = change as Record<string, string>;
    const path = `/resourceGroups/${group}/providers/Microsoft.Authorization/roleAssignments/${name}`;
    const before = azure.listResourceIds();
    const { status, body } = await callArm(azure, `${path}?api-version=2022-04-01`, {
      method: "PUT",
      body: {
        properties: {
          principalId,
          principalType: "ServicePrincipal",
          roleDefinitionId: getRoleId(azure, READER),
          ...properties,
        },
      },
    });
    expect(`${status} ${body.error?.code ?? ""}`).toBe(expected);
    expect(azure.listResourceIds()).toEqual(before);
  });

  it("take a service principal that hasn't replicated yet, if it is said to be one", async () => {
    const { azure, clients, scope } = await startWithIdentity();
    const name = await assignRole(azure, clients, READER, randomUUID(), scope);
    expect(name).not.toBe("");
  });

  it("refuse an equal one under another name, and a change under the same", async () => {
    const { azure, clients, principalId, scope } = await startWithIdentity();
    const { roleAssignments } = clients.authorization;
    const name = await assignRole(azure, clients, READER, principalId, scope);
    expect(await getRefusal(assignRole(azure, clients, READER, principalId, scope))).toBe(
      "409 RoleAssignmentExists",
    );
    const body = { principalId, principalType: "ServicePrincipal" };
    const create = (role: string) =>
      roleAssignments.create(scope.slice(1), name, {
        ...body,
        roleDefinitionId: getRoleId(azure, role),
      });
    expect(await getRefusal(create(CONTRIBUTOR))).toBe("400 RoleAssignmentUpdateNotPermitted");
    expect((await create(READER)).name).toBe(name);
    expect(await assignRole(azure, clients, CONTRIBUTOR, principalId, scope)).not.toBe(name);
  });

  it("stay as orphans when their identity goes, and go with their scope", async () => {
    const { azure, clients, principalId, scope } = await startWithIdentity();
    const name = await assignRole(azure, clients, READER, principalId, scope);
    await clients.identities.delete(GROUP, "id-test");
    expect(
      (await clients.authorization.roleAssignments.get(scope.slice(1), name)).principalId,
    ).toBe(principalId);
    await clients.groups.beginDeleteAndWait(GROUP, FAST);
    expect(azure.listResourceIds()).toEqual([]);
  });

  it("are listed at, above and below a scope, by filter", async () => {
    const { azure, clients, principalId, scope } = await startWithIdentity();
    const subscription = `/subscriptions/${azure.subscriptionId}`;
    const identity = `${scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-test`;
    const names = {
      above: await assignRole(azure, clients, READER, principalId, subscription),
      at: await assignRole(azure, clients, READER, principalId, scope),
      below: await assignRole(azure, clients, READER, principalId, identity),
    };
    async function list(filter?: string): Promise<string[]> {
      const found: string[] = [];
      const { roleAssignments } = clients.authorization;
      for await (const one of roleAssignments.listForScope(scope.slice(1), {
        ...(filter === undefined ? {} : { filter }),
      })) {
        if (one.principalId === principalId) found.push(one.name ?? "");
      }
      return found.sort();
    }
    expect(await list()).toEqual([names.above, names.at, names.below].sort());
    expect(await list("atScope()")).toEqual([names.above, names.at].sort());
    expect(await list(`principalId eq '${principalId}'`)).toHaveLength(3);
    expect(await list(`principalId eq '${randomUUID()}'`)).toEqual([]);
    expect(await getRefusal(list("roleName eq 'x'"))).toContain("501");
  });
});

describe("role definitions", () => {
  it("are found by id and by name", async () => {
    const azure = await startForTest();
    const { roleDefinitions } = createClients(azure).authorization;
    const scope = `subscriptions/${azure.subscriptionId}`;
    expect(await roleDefinitions.get(scope, READER)).toMatchObject({
      id: getRoleId(azure, READER),
      roleName: "Reader",
      roleType: "BuiltInRole",
      permissions: [{ actions: ["*/read"], notActions: [] }],
    });
    const names: unknown[] = [];
    for await (const one of roleDefinitions.list(scope, { filter: "roleName eq 'Owner'" })) {
      names.push(one.roleName);
    }
    expect(names).toEqual(["Owner"]);
    expect(await getRefusal(roleDefinitions.get(scope, randomUUID()))).toBe(
      "404 RoleDefinitionDoesNotExist",
    );
  });
});
