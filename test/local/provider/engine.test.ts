import * as pulumi from "@pulumi/pulumi";
import * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as network from "@pulumi/azure-native/network";
import * as resources from "@pulumi/azure-native/resources";
import * as storage from "@pulumi/azure-native/storage";
import { describe, expect, test } from "vitest";
import { startStack } from "./engine";

// Each engine operation takes about a second on an idle machine; the first may have to fetch the CLI.
const TIMEOUT_MS = 120_000;

const PASSWORD = "Plain-Text-9z";
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

interface GroupOptions {
  location?: string;
  tags?: Record<string, string>;
  groupName?: string;
}

/** A group with an identity in it. */
function identityProgram({ location = "westeurope", tags = {}, groupName }: GroupOptions = {}) {
  return () => {
    const group = new resources.ResourceGroup("group", {
      location,
      tags,
      ...(groupName !== undefined && { resourceGroupName: groupName }),
    });
    const identity = new managedidentity.UserAssignedIdentity("identity", {
      resourceGroupName: group.name,
      tags,
    });
    return Promise.resolve({
      groupName: group.name,
      groupId: group.id,
      identityId: identity.id,
      principalId: identity.principalId,
      identityLocation: identity.location,
    });
  };
}

interface VmOptions {
  vmTags?: Record<string, string>;
  identityTags?: Record<string, string>;
}

/** A stack shaped like the tutorial's: a VM with an identity that may read its group. */
function vmProgram({ vmTags = {}, identityTags = {} }: VmOptions = {}) {
  return () => {
    const group = new resources.ResourceGroup("group", { location: "westeurope" });
    const inGroup = { resourceGroupName: group.name };
    const identity = new managedidentity.UserAssignedIdentity("identity", {
      ...inGroup,
      tags: identityTags,
    });
    const vnet = new network.VirtualNetwork("vnet", {
      ...inGroup,
      addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
    });
    const securityGroup = new network.NetworkSecurityGroup("nsg", inGroup);
    const address = new network.PublicIPAddress(
      "address",
      { ...inGroup, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" },
      // Azure adds it when the gateway takes the address; being an input too, a refresh takes it for drift.
      { ignoreChanges: ["natGateway"] },
    );
    const gateway = new network.NatGateway("gateway", {
      ...inGroup,
      sku: { name: "Standard" },
      publicIpAddresses: [{ id: address.id }],
    });
    const subnet = new network.Subnet("subnet", {
      ...inGroup,
      virtualNetworkName: vnet.name,
      addressPrefix: "10.0.0.0/24",
      defaultOutboundAccess: false,
      natGateway: { id: gateway.id },
      networkSecurityGroup: { id: securityGroup.id },
    });
    const nic = new network.NetworkInterface("nic", {
      ...inGroup,
      ipConfigurations: [{ name: "internal", subnet: { id: subnet.id } }],
    });
    const vm = new compute.VirtualMachine(
      "vm",
      {
        ...inGroup,
        tags: vmTags,
        identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
        hardwareProfile: { vmSize: "Standard_B2s_v2" },
        osProfile: {
          computerName: "tutorial-vm",
          adminUsername: "operator",
          adminPassword: pulumi.secret(PASSWORD),
        },
        storageProfile: {
          imageReference: {
            publisher: "MicrosoftWindowsServer",
            offer: "WindowsServer",
            sku: "2025-datacenter-azure-edition",
            version: "latest",
          },
          osDisk: { createOption: "FromImage", deleteOption: "Delete" },
        },
        networkProfile: { networkInterfaces: [{ id: nic.id, deleteOption: "Detach" }] },
      },
      { deleteBeforeReplace: true },
    );
    const assignment = new authorization.RoleAssignment("reader", {
      scope: group.id,
      principalId: identity.principalId,
      principalType: "ServicePrincipal",
      roleDefinitionId: group.id.apply((id) => {
        const subscription = id.split("/").slice(0, 3).join("/");
        return `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${READER}`;
      }),
    });
    return Promise.resolve({
      groupName: group.name,
      vmName: vm.name,
      vmIdentity: vm.identity,
      identityId: identity.id,
      assignmentName: assignment.name,
      osProfile: vm.osProfile,
    });
  };
}

const writesOf = (requests: readonly { method: string; path: string }[]) =>
  requests.filter(({ method }) => method !== "GET");

describe("on the real engine", { timeout: TIMEOUT_MS }, () => {
  test("up, nothing to do, an update in place, destroy", async () => {
    const { azure, stack, up, preview } = await startStack();
    const planned = await preview(identityProgram({ tags: { env: "dev" } }));
    expect(planned.changes).toEqual({ create: 3 });
    expect(azure.requests).toEqual([]);

    const first = await up(identityProgram({ tags: { env: "dev" } }));
    expect(first.changes).toEqual({ create: 3 });
    expect(first.outputs["groupName"]).toMatch(/^group[0-9a-f]{8}$/);
    expect(first.outputs["principalId"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(first.outputs["identityLocation"]).toBe("westeurope");

    const second = await up(identityProgram({ tags: { env: "dev" } }));
    expect(second).toEqual({ changes: {}, outputs: first.outputs, requests: [] });

    const third = await up(identityProgram({ tags: { env: "prod" } }));
    expect(third.changes).toEqual({ update: 2 });
    expect(third.outputs).toEqual(first.outputs);
    expect(writesOf(third.requests).map(({ method }) => method)).toEqual(["PUT", "PUT"]);

    await stack.destroy();
    expect(azure.listResourceIds()).toEqual([]);
  });

  test("a named group that moves is deleted before its replacement, an unnamed one after", async () => {
    const { up } = await startStack();
    const deletionsAndPuts = (requests: readonly { method: string; path: string }[]) =>
      writesOf(requests).map(
        ({ method, path }) => `${method} ${path.includes("/providers/") ? "identity" : "group"}`,
      );

    await up(identityProgram({ groupName: "rg-named" }));
    const named = await up(identityProgram({ groupName: "rg-named", location: "uksouth" }));
    expect(named.changes).toEqual({ replace: 2 });
    expect(deletionsAndPuts(named.requests)).toEqual([
      "DELETE identity",
      "DELETE group",
      "PUT group",
      "PUT identity",
    ]);

    const renamed = await up(identityProgram());
    expect(renamed.outputs["groupName"]).toMatch(/^group[0-9a-f]{8}$/);
    const unnamed = await up(identityProgram({ location: "northeurope" }));
    expect(unnamed.changes).toEqual({ replace: 2 });
    expect(deletionsAndPuts(unnamed.requests)).toEqual([
      "PUT group",
      "PUT identity",
      "DELETE identity",
      "DELETE group",
    ]);
    expect(unnamed.outputs["groupName"]).not.toBe(renamed.outputs["groupName"]);
  });

  test("a stack like the tutorial's comes up, stays, and goes", async () => {
    const { azure, stack, up, preview } = await startStack();
    expect((await preview(vmProgram())).changes).toEqual({ create: 11 });
    const { changes, outputs } = await up(vmProgram());
    expect(changes).toEqual({ create: 11 });
    const identities = (outputs["vmIdentity"] as compute.VirtualMachine["identity"] & object)[
      "userAssignedIdentities" as never
    ] as Record<string, object>;
    expect(Object.keys(identities)).toEqual([outputs["identityId"]]);
    expect(Object.values(identities)[0]).toHaveProperty("clientId");

    expect(await up(vmProgram())).toMatchObject({ changes: {}, requests: [] });
    await stack.refresh();
    expect((await preview(vmProgram())).steps).toEqual([]);
    // The role assignment depends on the identity's principal id, which such an update doesn't change.
    const tagged = await preview(vmProgram({ identityTags: { env: "dev" } }));
    expect(tagged.steps).toEqual(["identity: update"]);
    await stack.destroy();
    expect(azure.listResourceIds()).toEqual([]);
  });

  test("a refresh sees what drifted, and the next up repairs it", async () => {
    const { azure, portal, stack, up, preview } = await startStack();
    const program = vmProgram({ vmTags: { env: "dev" } });
    const { outputs } = await up(program);
    const groupName = outputs["groupName"] as string;
    const vmName = outputs["vmName"] as string;

    const drifted = await portal.compute.virtualMachines.get(groupName, vmName);
    await portal.compute.virtualMachines.beginCreateOrUpdateAndWait(groupName, vmName, {
      ...drifted,
      identity: { type: "None" },
      tags: { env: "hacked" },
    });
    const scope = `/subscriptions/${azure.subscriptionId}/resourceGroups/${groupName}`;
    await portal.authorization.roleAssignments.delete(scope, outputs["assignmentName"] as string);
    await stack.refresh();

    const { steps } = await preview(program);
    expect(steps.sort()).toEqual(["reader: create", "vm: update"]);
    await up(program);
    const vm = await portal.compute.virtualMachines.get(groupName, vmName);
    expect(Object.keys(vm.identity?.userAssignedIdentities ?? {})).toEqual([outputs["identityId"]]);
    expect(vm.tags).toEqual({ env: "dev" });
    expect((await up(program)).changes).toEqual({});
  });

  test("what exists is imported by its id", async () => {
    const { azure, portal, up } = await startStack();
    await portal.resources.resourceGroups.createOrUpdate("rg-old", {
      location: "westeurope",
      tags: { owner: "me" },
    });
    const id = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-old`;
    const args = { resourceGroupName: "rg-old", location: "westeurope", tags: { owner: "me" } };
    const imported = await up(() => {
      new resources.ResourceGroup("group", args, { import: id });
      return Promise.resolve();
    });
    expect(imported.changes).toEqual({ import: 1, create: 1 });
    expect(writesOf(imported.requests)).toEqual([]);
    const after = await up(() => {
      new resources.ResourceGroup("group", args);
      return Promise.resolve();
    });
    expect(after.changes).toEqual({});
  });

  test("what exists isn't taken over by a creation", async () => {
    const { portal, up } = await startStack();
    await portal.resources.resourceGroups.createOrUpdate("rg-old", { location: "westeurope" });
    await expect(up(identityProgram({ groupName: "rg-old" }))).rejects.toThrow(
      /cannot create already existing resource/,
    );
  });

  test("a VM that Azure only half creates is kept, repaired by the next up, without its password", async () => {
    const { azure, stack, up, readState, readStateFiles } = await startStack();
    azure.answerNext({
      service: "arm",
      method: "GET",
      path: /Microsoft\.Compute\/.*\/operations\//,
      answer: {
        status: 200,
        body: {
          status: "Failed",
          error: { code: "OSProvisioningTimedOut", message: "OS Provisioning did not finish." },
        },
      },
    });
    await expect(up(vmProgram())).rejects.toThrow(
      'Status=200 Code="OSProvisioningTimedOut" Message="OS Provisioning did not finish."',
    );
    const vmId = azure.listResourceIds().find((id) => id.includes("/virtualMachines/"));
    expect(vmId).toBeDefined();
    const kept = (await readState()).find(({ id }) => id === vmId);
    expect(kept?.initErrors).toEqual([expect.stringContaining("OSProvisioningTimedOut")]);
    expect(await readStateFiles()).not.toContain(PASSWORD);

    await up(vmProgram());
    expect((await up(vmProgram())).changes).toEqual({});
    await stack.destroy();
    expect(azure.listResourceIds()).toEqual([]);
  });

  test("a secret is in the state, but never in plain text", async () => {
    const { portal, stack, up, readState, readStateFiles } = await startStack();
    const { outputs } = await up(vmProgram());
    expect(outputs["osProfile"]).not.toHaveProperty("adminPassword");
    const group = outputs["groupName"] as string;
    await portal.compute.virtualMachines.beginUpdateAndWait(group, outputs["vmName"] as string, {
      tags: { touched: "yes" },
    });
    await stack.refresh();
    await up(vmProgram({ vmTags: { env: "dev" } }));

    const vm = (await readState()).find(({ urn }) => urn.endsWith("::vm"));
    expect(vm?.inputs?.osProfile?.adminPassword).toHaveProperty("ciphertext");
    const files = await readStateFiles();
    expect(files).toContain("tutorial-vm");
    expect(files).not.toContain(PASSWORD);
  });

  test("a type that isn't there is named, and nothing is created", async () => {
    const { azure, up } = await startStack();
    const failure = up(() => {
      new storage.StorageAccount("store", {
        resourceGroupName: "rg",
        kind: "StorageV2",
        sku: { name: "Standard_LRS" },
      });
      return Promise.resolve();
    });
    await expect(failure).rejects.toThrow(
      /doesn't know the resource type 'azure-native:storage:StorageAccount'/,
    );
    expect(azure.requests).toEqual([]);
  });

  test("functions: who deploys is known, others are named as missing", async () => {
    const { azure, up } = await startStack();
    const { outputs } = await up(async () => ({ ...(await authorization.getClientConfig()) }));
    expect(outputs).toMatchObject({
      subscriptionId: azure.subscriptionId,
      tenantId: azure.tenantId,
    });
    const failure = up(async () => ({
      ...(await storage.getStorageAccount({ resourceGroupName: "rg", accountName: "a" })),
    }));
    await expect(failure).rejects.toThrow(/azure-native:storage:getStorageAccount/);
  });
});
