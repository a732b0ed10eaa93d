import { describe, expect, it } from "vitest";

import {
  callArm,
  createClients,
  createVmStack,
  FAST,
  getId,
  getRefusal,
  GROUP,
  LOCATION,
  startForTest,
} from "./fixtures";

describe("resource groups", () => {
  it("are created, read, changed, listed and deleted", async () => {
    const azure = await startForTest();
    const { groups } = createClients(azure);
    expect((await groups.checkExistence(GROUP)).body).toBe(false);
    const created = await groups.createOrUpdate(GROUP, {
      location: "West Europe",
      tags: { owner: "me", step: "1" },
    });
    expect(created).toEqual({
      id: `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`,
      name: GROUP,
      type: "Microsoft.Resources/resourceGroups",
      location: "westeurope",
      tags: { owner: "me", step: "1" },
      properties: { provisioningState: "Succeeded" },
    });
    expect((await groups.checkExistence(GROUP)).body).toBe(true);
    expect(await groups.get(GROUP.toUpperCase())).toEqual(created);
    const patched = await groups.update(GROUP, { tags: { step: "2" } });
    expect(patched.tags).toEqual({ owner: "me", step: "2" });
    const put = await groups.createOrUpdate(GROUP, { location: LOCATION });
    expect(put.tags).toBeUndefined();
    const listed: unknown[] = [];
    for await (const { name } of groups.list()) listed.push(name);
    expect(listed).toEqual([GROUP]);
    await groups.beginDeleteAndWait(GROUP, FAST);
    expect(await getRefusal(groups.get(GROUP))).toBe("404 ResourceGroupNotFound");
    expect(await getRefusal(groups.beginDeleteAndWait(GROUP))).toBe("404 ResourceGroupNotFound");
  });

  it.each([["2016-06-01"], ["2021-04-01"], ["2024-03-01"]])(
    "are read with api-version %s as the tutorial, verify and Pulumi do",
    async (version) => {
      const azure = await startForTest();
      await createClients(azure).groups.createOrUpdate(GROUP, { location: LOCATION });
      const { status, body } = await callArm(
        azure,
        `/resourcegroups/${GROUP}?api-version=${version}`,
      );
      expect([status, body.properties]).toEqual([200, { provisioningState: "Succeeded" }]);
    },
  );

  it.each([
    ["no location", GROUP, {}, "400 LocationRequired"],
    [
      "a region there isn't",
      GROUP,
      { location: "atlantis" },
      "400 LocationNotAvailableForResourceGroup",
    ],
    ["a name ending with a dot", "rg.", { location: LOCATION }, "400 InvalidResourceGroup"],
    ["a name with a space", "rg%20x", { location: LOCATION }, "400 InvalidResourceGroup"],
    ["a long name", "r".repeat(91), { location: LOCATION }, "400 InvalidResourceGroup"],
    [
      "tags that aren't text",
      GROUP,
      { location: LOCATION, tags: { a: 1 } },
      "400 InvalidRequestContent",
    ],
    [
      "a tag name with a slash",
      GROUP,
      { location: LOCATION, tags: { "a/b": "" } },
      "400 InvalidTagNameCharacters",
    ],
    [
      "a long tag",
      GROUP,
      { location: LOCATION, tags: { a: "v".repeat(257) } },
      "400 InvalidTagValue",
    ],
  ])("refuse %s", async (_, name, body, expected) => {
    const azure = await startForTest();
    const path = `/resourcegroups/${name}?api-version=2021-04-01`;
    const answer = await callArm(azure, path, { method: "PUT", body });
    expect(`${answer.status} ${answer.body.error?.code ?? ""}`).toBe(expected);
    expect(azure.listResourceIds()).toEqual([]);
  });

  it("can't move", async () => {
    const { groups } = createClients(await startForTest());
    await groups.createOrUpdate(GROUP, { location: LOCATION });
    const moved = groups.createOrUpdate(GROUP, { location: "northeurope" });
    expect(await getRefusal(moved)).toBe("409 InvalidResourceGroupLocation");
  });

  it("list what is in them: disks are, subnets aren't", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    await createVmStack(azure, clients);
    const types: string[] = [];
    for await (const { type } of clients.resources.listByResourceGroup(GROUP))
      types.push(type ?? "");
    expect(types.sort()).toEqual([
      "Microsoft.Compute/disks",
      "Microsoft.Compute/virtualMachines",
      "Microsoft.ManagedIdentity/userAssignedIdentities",
      "Microsoft.Network/natGateways",
      "Microsoft.Network/networkInterfaces",
      "Microsoft.Network/networkSecurityGroups",
      "Microsoft.Network/publicIPAddresses",
      "Microsoft.Network/virtualNetworks",
    ]);
  });

  it("take all they hold with them, metadata services included", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { vmId } = await createVmStack(azure, clients);
    const imds = azure.getImdsEndpoint(vmId);
    await clients.groups.beginDeleteAndWait(GROUP, FAST);
    expect(azure.listResourceIds()).toEqual([]);
    expect(() => azure.getImdsEndpoint(vmId)).toThrow(vmId);
    await expect(fetch(imds)).rejects.toThrow();
  });

  it("take nothing new while they are being deleted, and go at the end", async () => {
    const azure = await startForTest({ operationMs: 150 });
    const clients = createClients(azure);
    await clients.groups.createOrUpdate(GROUP, { location: LOCATION });
    const poller = await clients.groups.beginDelete(GROUP, FAST);
    expect((await clients.groups.get(GROUP)).properties?.provisioningState).toBe("Deleting");
    const refusals = await Promise.all(
      [
        clients.identities.createOrUpdate(GROUP, "id-test", { location: LOCATION }),
        clients.groups.createOrUpdate(GROUP, { location: LOCATION }),
      ].map(getRefusal),
    );
    expect(refusals).toEqual(["409 ResourceGroupBeingDeleted", "409 ResourceGroupBeingDeleted"]);
    await poller.pollUntilDone();
    expect(azure.listResourceIds()).toEqual([]);
  });

  it("stay, with what is in use from elsewhere", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { subnetId } = await createVmStack(azure, clients);
    await clients.groups.createOrUpdate("rg-other", { location: LOCATION });
    const other = await clients.network.networkInterfaces.beginCreateOrUpdateAndWait(
      "rg-other",
      "nic-other",
      { location: LOCATION, ipConfigurations: [{ name: "main", subnet: { id: subnetId } }] },
      FAST,
    );
    const deletion = await callArm(azure, `/resourceGroups/${GROUP}?api-version=2021-04-01`, {
      method: "DELETE",
    });
    expect(deletion.status).toBe(202);
    const location = `/${(deletion.headers["location"] ?? "").slice(azure.armEndpoint.length)}`;
    const result = await callArm(azure, location);
    expect([result.status, result.body.error?.code]).toEqual([409, "ResourceGroupDeletionBlocked"]);
    expect(result.body.error?.details?.map(({ code }) => code)).toContain(
      "InUseSubnetCannotBeDeleted",
    );
    expect((await clients.groups.get(GROUP)).properties?.provisioningState).toBe("Succeeded");
    expect(azure.listResourceIds()).toContain(subnetId);
    expect(azure.listResourceIds()).toContain(getId(other));
  });
});
