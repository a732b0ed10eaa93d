import { describe, expect, it } from "vitest";

import type { LocalAzure } from "../../../local/azure";
import {
  callArm,
  createClients,
  createNetwork,
  createVmStack,
  FAST,
  getId,
  getRefusal,
  getVmBody,
  GROUP,
  LOCATION,
  PASSWORD,
  startForTest,
} from "./fixtures";

const VM_PATH = `/resourceGroups/${GROUP}/providers/Microsoft.Compute/virtualMachines/vm-test?api-version=2024-11-01`;

/** A VM in the shape of the wire, and ways to spoil it. */
function getWireBody(networkInterfaceId: string, change: object = {}): Record<string, unknown> {
  const { location, tags, identity, ...properties } = getVmBody({ networkInterfaceId });
  const body = {
    location,
    tags,
    identity,
    properties: {
      ...properties,
      networkProfile: { networkInterfaces: [{ id: networkInterfaceId }] },
    },
  };
  return merge(body, change);
}

function merge(left: object, right: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...left };
  for (const [key, value] of Object.entries(right) as [string, unknown][]) {
    const kept = merged[key];
    const bothObjects =
      typeof value === "object" && typeof kept === "object" && value !== null && kept !== null;
    merged[key] = bothObjects && !Array.isArray(value) ? merge(kept, value) : value;
  }
  return merged;
}

async function putVm(azure: LocalAzure, body: object): Promise<{ outcome: string; text: string }> {
  const answer = await callArm(azure, VM_PATH, { method: "PUT", body });
  return {
    outcome: `${answer.status} ${answer.body.error?.code ?? ""}`.trim(),
    text: JSON.stringify(answer.body),
  };
}

describe("virtual machines", () => {
  it("are created with their disk, carry their identity, and forget the password", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const stack = await createVmStack(azure, clients);
    const vm = await clients.compute.virtualMachines.get(GROUP, "vm-test");
    expect(vm).toMatchObject({
      id: stack.vmId,
      location: LOCATION,
      provisioningState: "Succeeded",
      identity: {
        type: "UserAssigned",
        userAssignedIdentities: {
          [stack.identityId]: { principalId: stack.principalId, clientId: stack.clientId },
        },
      },
      osProfile: { computerName: "vmtest", adminUsername: "azureuser" },
    });
    expect(vm.vmId).toMatch(/^[0-9a-f-]{36}$/);
    const diskId = vm.storageProfile?.osDisk?.managedDisk?.id ?? "";
    expect(azure.listResourceIds()).toContain(diskId);
    const disk = await clients.compute.disks.get(GROUP, diskId.split("/").at(-1) ?? "");
    expect(disk).toMatchObject({ managedBy: stack.vmId, diskState: "Attached", osType: "Windows" });
    const nic = await clients.network.networkInterfaces.get(GROUP, "nic-test");
    expect(nic.virtualMachine).toEqual({ id: stack.vmId });

    const paths = [VM_PATH, VM_PATH.replace("/vm-test", ""), `${VM_PATH}&$expand=instanceView`];
    const texts = await Promise.all(
      paths.map(async (path) => JSON.stringify((await callArm(azure, path)).body)),
    );
    expect(texts.join()).toContain("azureuser");
    expect(texts.join()).not.toContain(PASSWORD);
    expect(texts.join()).not.toContain("adminPassword");
  });

  const osProfile = (change: object) => ({ properties: { osProfile: change } });

  it.each<[string, object, string]>([
    ["no size", { properties: { hardwareProfile: { vmSize: null } } }, "400 InvalidParameter"],
    [
      "a size there isn't",
      { properties: { hardwareProfile: { vmSize: "big" } } },
      "400 InvalidParameter",
    ],
    ["a banned user name", osProfile({ adminUsername: "Administrator" }), "400 InvalidParameter"],
    ["a long user name", osProfile({ adminUsername: "a".repeat(21) }), "400 InvalidParameter"],
    ["a user name ending with a dot", osProfile({ adminUsername: "ops." }), "400 InvalidParameter"],
    ["no user name", osProfile({ adminUsername: null }), "400 InvalidParameter"],
    ["no password", osProfile({ adminPassword: null }), "400 InvalidParameter"],
    ["a short password", osProfile({ adminPassword: "Sh0rt-1" }), "400 InvalidParameter"],
    [
      "a long password",
      osProfile({ adminPassword: `Aa1-${"x".repeat(120)}` }),
      "400 InvalidParameter",
    ],
    [
      "a password of two kinds",
      osProfile({ adminPassword: "onlylowercase99" }),
      "400 InvalidParameter",
    ],
    ["a banned password", osProfile({ adminPassword: "P@ssword123" }), "400 InvalidParameter"],
    [
      "a long computer name",
      osProfile({ computerName: "a-computer-name-" }),
      "400 InvalidParameter",
    ],
    ["a computer name of digits", osProfile({ computerName: "12345" }), "400 InvalidParameter"],
    [
      "a computer name with an underscore",
      osProfile({ computerName: "vm_test" }),
      "400 InvalidParameter",
    ],
    [
      "no image version",
      { properties: { storageProfile: { imageReference: { version: null } } } },
      "400 InvalidParameter",
    ],
    [
      "no create option",
      { properties: { storageProfile: { osDisk: { createOption: null } } } },
      "400 InvalidParameter",
    ],
    [
      "encryption at host, a feature that isn't on",
      { properties: { securityProfile: { encryptionAtHost: true } } },
      "400 InvalidParameter",
    ],
    [
      "no NIC",
      { properties: { networkProfile: { networkInterfaces: [] } } },
      "400 InvalidParameter",
    ],
    [
      "a NIC that isn't there",
      { properties: { networkProfile: { networkInterfaces: [{ id: "/subscriptions/x/nic" }] } } },
      "400 InvalidResourceReference",
    ],
    ["another region than its NIC's", { location: "northeurope" }, "400 InvalidResourceReference"],
    [
      "an identity without a type",
      { identity: { userAssignedIdentities: {} } },
      "400 InvalidRequestContent",
    ],
    ["a type without an identity", { identity: { type: "UserAssigned" } }, "400 InvalidParameter"],
    [
      "an identity of the wrong type",
      { identity: { type: "SystemAssigned", userAssignedIdentities: { "/none": {} } } },
      "400 FailedIdentityOperation",
    ],
    [
      "an identity that isn't there",
      { identity: { type: "UserAssigned", userAssignedIdentities: { "/none": {} } } },
      "400 FailedIdentityOperation",
    ],
    [
      "Linux, which this Azure doesn't know",
      osProfile({ linuxConfiguration: {} }),
      "501 NotImplemented",
    ],
    [
      "an attached disk, which this Azure doesn't know",
      { properties: { storageProfile: { osDisk: { createOption: "Attach" } } } },
      "501 NotImplemented",
    ],
    [
      "data disks, which this Azure doesn't know",
      { properties: { storageProfile: { dataDisks: [{ lun: 0 }] } } },
      "501 NotImplemented",
    ],
    ...["availabilitySet", "host", "proximityPlacementGroup", "virtualMachineScaleSet"].map(
      (name): [string, object, string] => [
        `what this Azure doesn't know: ${name}`,
        { properties: { [name]: { id: "/x" } } },
        "501 NotImplemented",
      ],
    ),
    [
      "what this Azure doesn't know: a plan",
      { plan: { name: "a", product: "b", publisher: "c" } },
      "501 NotImplemented",
    ],
  ])("refuse %s", async (_, change, expected) => {
    const azure = await startForTest();
    const { networkInterfaceId } = await createNetwork(createClients(azure));
    const before = azure.listResourceIds();
    const body = getWireBody(networkInterfaceId, change);
    const { outcome, text } = await putVm(azure, body);
    expect(outcome).toBe(expected);
    const { adminPassword } = (body["properties"] as { osProfile: { adminPassword: unknown } })
      .osProfile;
    if (typeof adminPassword === "string") expect(text).not.toContain(adminPassword);
    expect(azure.listResourceIds()).toEqual(before);
  });

  it("are put as they stand in these tests, and show no custom data nor user data", async () => {
    const azure = await startForTest();
    const { networkInterfaceId } = await createNetwork(createClients(azure));
    const change = { properties: { userData: "dXNlcg==", osProfile: { customData: "Y3VzdG9t" } } };
    expect((await putVm(azure, getWireBody(networkInterfaceId, change))).outcome).toBe("201");
    const text = JSON.stringify((await callArm(azure, VM_PATH)).body);
    expect(text).not.toMatch(/dXNlcg==|Y3VzdG9t/);
  });

  it("share no NIC, and keep theirs from being deleted", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { networkInterfaceId } = await createVmStack(azure, clients);
    const second = clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
      GROUP,
      "vm-2",
      getVmBody({ networkInterfaceId }),
      FAST,
    );
    expect(await getRefusal(second)).toBe("400 NicInUse");
    const { networkInterfaces } = clients.network;
    expect(await getRefusal(networkInterfaces.beginDeleteAndWait(GROUP, "nic-test"))).toBe(
      "400 NicInUse",
    );
  });

  it.each<[string, object, string]>([
    ["nothing", {}, "200"],
    ["its size", { properties: { hardwareProfile: { vmSize: "Standard_B4s_v2" } } }, "200"],
    ["its tags", { tags: { a: "1" } }, "200"],
    ["its password, repeated", osProfile({ adminPassword: PASSWORD }), "200"],
    ["its password, left out", osProfile({ adminPassword: null }), "200"],
    ["its password", osProfile({ adminPassword: `${PASSWORD}2` }), "409 PropertyChangeNotAllowed"],
    ["its user name", osProfile({ adminUsername: "another" }), "409 PropertyChangeNotAllowed"],
    ["its computer name", osProfile({ computerName: "another" }), "409 PropertyChangeNotAllowed"],
    [
      "its image",
      { properties: { storageProfile: { imageReference: { sku: "2022-datacenter-g2" } } } },
      "409 PropertyChangeNotAllowed",
    ],
    ["its zone", { zones: ["2"] }, "409 PropertyChangeNotAllowed"],
    ["its region", { location: "northeurope" }, "409 InvalidResourceLocation"],
  ])("can or can't change: %s", async (_, change, expected) => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { networkInterfaceId } = await createNetwork(clients);
    await putVm(azure, getWireBody(networkInterfaceId));
    const before = await clients.compute.virtualMachines.get(GROUP, "vm-test");
    const { outcome } = await putVm(azure, getWireBody(networkInterfaceId, change));
    expect(outcome).toBe(expected);
    const after = await clients.compute.virtualMachines.get(GROUP, "vm-test");
    expect(after.vmId).toBe(before.vmId);
    expect(after.storageProfile?.osDisk).toEqual(before.storageProfile?.osDisk);
    if (expected !== "200") expect(after).toEqual(before);
  });

  it("take a change of anything with a PATCH: an identity more, an identity less", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { identityId } = await createVmStack(azure, clients);
    const { virtualMachines } = clients.compute;
    const second = await clients.identities.createOrUpdate(GROUP, "id-2", { location: LOCATION });
    const update = (userAssignedIdentities: Record<string, object>) =>
      virtualMachines.beginUpdateAndWait(
        GROUP,
        "vm-test",
        { tags: { b: "2" }, identity: { type: "UserAssigned", userAssignedIdentities } },
        FAST,
      );
    const more = await update({ [getId(second)]: {} });
    expect(Object.keys(more.identity?.userAssignedIdentities ?? {}).sort()).toEqual(
      [identityId, getId(second)].sort(),
    );
    expect(more.tags).toEqual({ clientId: "in a tag", b: "2" });
    const { body } = await callArm(azure, VM_PATH, {
      method: "PATCH",
      body: {
        identity: {
          type: "UserAssigned",
          // In whatever casing.
          userAssignedIdentities: { [identityId.toUpperCase()]: null },
        },
      },
    });
    const { userAssignedIdentities } = body["identity"] as { userAssignedIdentities: object };
    expect(Object.keys(userAssignedIdentities)).toEqual([getId(second)]);
  });

  it.each([
    ["None", [], false],
    ["SystemAssigned", [], true],
    ["SystemAssigned, UserAssigned", ["id-test"], true],
  ])("take the identity type %s with a PATCH", async (type, names, hasOwn) => {
    const azure = await startForTest();
    await createVmStack(azure, createClients(azure));
    const patch = { method: "PATCH", body: { identity: { type } } };
    expect((await callArm(azure, VM_PATH, patch)).status).toBe(200);
    const { identity = {} } = (await callArm(azure, VM_PATH)).body as {
      identity?: { principalId?: string; userAssignedIdentities?: object };
    };
    const ids = Object.keys(identity.userAssignedIdentities ?? {});
    expect(ids.map((id) => id.split("/").at(-1))).toEqual(names);
    expect(identity.principalId !== undefined).toBe(hasOwn);
  });

  it.each<["Delete" | "Detach"]>([["Delete"], ["Detach"]])(
    "on deletion do with disk and NIC what %s says",
    async (deleteOption) => {
      const azure = await startForTest();
      const clients = createClients(azure);
      const { networkInterfaceId } = await createNetwork(clients);
      const nic = { id: networkInterfaceId, properties: { deleteOption } };
      const { outcome } = await putVm(
        azure,
        getWireBody(networkInterfaceId, {
          properties: {
            storageProfile: { osDisk: { name: "disk-test", deleteOption } },
            networkProfile: { networkInterfaces: [nic] },
          },
        }),
      );
      expect(outcome).toBe("201");
      expect(await getRefusal(clients.compute.disks.beginDeleteAndWait(GROUP, "disk-test"))).toBe(
        "409 OperationNotAllowed",
      );
      await clients.compute.virtualMachines.beginDeleteAndWait(GROUP, "vm-test", FAST);
      const left = azure.listResourceIds().map((id) => id.split("/").at(-1));
      expect(left).not.toContain("vm-test");
      expect(left.includes("disk-test")).toBe(deleteOption === "Detach");
      expect(left.includes("nic-test")).toBe(deleteOption === "Detach");
      if (deleteOption === "Detach") {
        const disk = await clients.compute.disks.get(GROUP, "disk-test");
        expect([disk.managedBy, disk.diskState]).toEqual([undefined, "Unattached"]);
        await clients.compute.disks.beginDeleteAndWait(GROUP, "disk-test", FAST);
        expect(azure.listResourceIds().join()).not.toContain("disk-test");
      }
    },
  );

  it("have another vmId when made anew under the same id, and a metadata service that knows it", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { networkInterfaceId, vmId } = await createVmStack(azure, clients);
    const { virtualMachines } = clients.compute;
    const before = await virtualMachines.get(GROUP, "vm-test");
    await virtualMachines.beginDeleteAndWait(GROUP, "vm-test", FAST);
    expect(() => azure.getImdsEndpoint(vmId)).toThrow(/No VM runs/);
    const after = await virtualMachines.beginCreateOrUpdateAndWait(
      GROUP,
      "vm-test",
      getVmBody({ networkInterfaceId }),
      FAST,
    );
    expect(after.id).toBe(before.id);
    expect(after.vmId).not.toBe(before.vmId);
    const url = `${azure.getImdsEndpoint(vmId)}/metadata/instance/compute?api-version=2021-02-01`;
    const answer = await fetch(url, { headers: { Metadata: "true" } });
    expect(await answer.json()).toMatchObject({ vmId: after.vmId, name: "vm-test" });
  });

  it("can be two hundred, each with a metadata service of its own, until they go", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { subnetId } = await createNetwork(clients);
    const names = Array.from({ length: 200 }, (_, index) => `vm-${index}`);
    const ids = await Promise.all(
      names.map(async (name) => {
        const nic = await clients.network.networkInterfaces.beginCreateOrUpdateAndWait(
          GROUP,
          `nic-${name}`,
          { location: LOCATION, ipConfigurations: [{ name: "main", subnet: { id: subnetId } }] },
          FAST,
        );
        const body = getVmBody({ networkInterfaceId: getId(nic) });
        return getId(
          await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(GROUP, name, body, FAST),
        );
      }),
    );
    const endpoints = ids.map((id) => azure.getImdsEndpoint(id));
    expect(new Set(endpoints).size).toBe(200);
    const seen = await Promise.all(
      endpoints.map(async (endpoint) => {
        const url = `${endpoint}/metadata/instance?api-version=2021-02-01`;
        const answer = await fetch(url, { headers: { Metadata: "true" } });
        const { compute, network } = (await answer.json()) as {
          compute: { name: string };
          network: { interface: { ipv4: { ipAddress: { privateIpAddress: string }[] } }[] };
        };
        return [compute.name, network.interface[0]?.ipv4.ipAddress[0]?.privateIpAddress];
      }),
    );
    expect(seen.map(([name]) => name)).toEqual(names);
    expect(new Set(seen.map(([, address]) => address)).size).toBe(200);
    await clients.groups.beginDeleteAndWait(GROUP, FAST);
    expect(azure.listResourceIds()).toEqual([]);
    expect(() => azure.getImdsEndpoint(ids[0] ?? "")).toThrow(/No VM runs/);
  });

  it("show their power state, and have a metadata service while they run", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { vmId } = await createVmStack(azure, clients);
    const { virtualMachines } = clients.compute;
    async function getPower(): Promise<string | undefined> {
      const { statuses = [] } = await virtualMachines.instanceView(GROUP, "vm-test");
      return statuses.find(({ code }) => code?.startsWith("PowerState/"))?.code;
    }
    expect(await getPower()).toBe("PowerState/running");
    const expanded = await virtualMachines.get(GROUP, "vm-test", { expand: "instanceView" });
    expect(expanded.instanceView?.computerName).toBe("vmtest");
    expect(expanded.instanceView).toHaveProperty("vmAgent");
    const endpoint = azure.getImdsEndpoint(vmId);
    await virtualMachines.beginDeallocateAndWait(GROUP, "vm-test", FAST);
    expect(await getPower()).toBe("PowerState/deallocated");
    expect(await virtualMachines.instanceView(GROUP, "vm-test")).not.toHaveProperty("vmAgent");
    await expect(fetch(endpoint)).rejects.toThrow();
    expect(() => azure.getImdsEndpoint(vmId)).toThrow(vmId);
    await virtualMachines.beginStartAndWait(GROUP, "vm-test", FAST);
    expect(await getPower()).toBe("PowerState/running");
    expect((await fetch(azure.getImdsEndpoint(vmId))).status).toBe(400);
  });
});
