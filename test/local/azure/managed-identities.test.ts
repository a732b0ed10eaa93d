import { describe, expect, it } from "vitest";

import { createClients, getRefusal, GROUP, LOCATION, startForTest } from "./fixtures";

const GUID = /^[0-9a-f-]{36}$/;

describe("user-assigned identities", () => {
  it("are created with a service principal, and keep it when put again", async () => {
    const azure = await startForTest();
    const { groups, identities } = createClients(azure);
    await groups.createOrUpdate(GROUP, { location: LOCATION });
    const created = await identities.createOrUpdate(GROUP, "id-test", { location: LOCATION });
    expect(created).toMatchObject({
      id: `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-test`,
      name: "id-test",
      type: "Microsoft.ManagedIdentity/userAssignedIdentities",
      tenantId: azure.tenantId,
    });
    expect(created.clientId).toMatch(GUID);
    expect(created.principalId).toMatch(GUID);
    expect(created.clientId).not.toBe(created.principalId);
    const again = await identities.createOrUpdate(GROUP, "ID-TEST", {
      location: LOCATION,
      tags: { a: "1" },
    });
    expect(again).toEqual({ ...created, tags: { a: "1" } });
    expect((await identities.update(GROUP, "id-test", { tags: { b: "2" } })).tags).toEqual({
      a: "1",
      b: "2",
    });
    const names: unknown[] = [];
    for await (const one of identities.listByResourceGroup(GROUP)) names.push(one.name);
    for await (const one of identities.listBySubscription()) names.push(one.name);
    expect(names).toEqual(["id-test", "id-test"]);
  });

  it("get other ids when made anew", async () => {
    const { groups, identities } = createClients(await startForTest());
    await groups.createOrUpdate(GROUP, { location: LOCATION });
    const first = await identities.createOrUpdate(GROUP, "id-test", { location: LOCATION });
    await identities.delete(GROUP, "id-test");
    expect(await getRefusal(identities.get(GROUP, "id-test"))).toBe("404 ResourceNotFound");
    expect(await getRefusal(identities.delete(GROUP, "id-test"))).toBe("no refusal");
    const second = await identities.createOrUpdate(GROUP, "id-test", { location: LOCATION });
    expect(second.clientId).not.toBe(first.clientId);
    expect(second.principalId).not.toBe(first.principalId);
  });

  it.each([
    ["a group that isn't there", "nowhere", "id-test", LOCATION, "404 ResourceGroupNotFound"],
    ["a short name", GROUP, "id", LOCATION, "400 InvalidResourceName"],
    ["a name with a dot", GROUP, "id.test", LOCATION, "400 InvalidResourceName"],
    [
      "a region there isn't",
      GROUP,
      "id-test",
      "atlantis",
      "400 LocationNotAvailableForResourceType",
    ],
    ["a move", GROUP, "id-here", "northeurope", "409 InvalidResourceLocation"],
  ])("refuse %s", async (_, group, name, location, expected) => {
    const { groups, identities } = createClients(await startForTest());
    await groups.createOrUpdate(GROUP, { location: LOCATION });
    await identities.createOrUpdate(GROUP, "id-here", { location: LOCATION });
    expect(await getRefusal(identities.createOrUpdate(group, name, { location }))).toBe(expected);
  });
});
