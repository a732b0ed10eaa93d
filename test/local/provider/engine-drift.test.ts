import * as compute from "@pulumi/azure-native/compute";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as network from "@pulumi/azure-native/network";
import * as resources from "@pulumi/azure-native/resources";
import { expect, test } from "vitest";
import type { ScriptRequest, ScriptResult } from "../../../local/azure";
import { startStack } from "./engine";

const GROUP = "rg";
const LOCATION = "westeurope";

interface VmOptions {
  /** Whether the VM has a public address, and no NAT gateway then. */
  isPublic?: boolean;
  openPorts?: string[];
  script?: string;
  /** The id of an identity that the stack didn't make. */
  identityId?: string;
}

/** A VM like the stack's, in a group of a fixed name, with names that are easy to tell. */
function vmProgram({ isPublic = false, openPorts = [], script, identityId }: VmOptions = {}) {
  return () => {
    const group = new resources.ResourceGroup("group", {
      resourceGroupName: GROUP,
      location: LOCATION,
    });
    const inGroup = { resourceGroupName: group.name, location: LOCATION };
    const identity =
      identityId === undefined
        ? new managedidentity.UserAssignedIdentity("identity", {
            ...inGroup,
            resourceName: "id-test",
          })
        : managedidentity.UserAssignedIdentity.get("identity", identityId);
    const securityGroup = new network.NetworkSecurityGroup("nsg", {
      ...inGroup,
      networkSecurityGroupName: "nsg",
      securityRules: openPorts.map((port, index) => ({
        name: `allow-${port}`,
        priority: 100 + index,
        direction: "Inbound",
        access: "Allow",
        protocol: "Tcp",
        sourceAddressPrefix: "*",
        sourcePortRange: "*",
        destinationAddressPrefix: "*",
        destinationPortRange: port,
      })),
    });
    const vnet = new network.VirtualNetwork("vnet", {
      ...inGroup,
      virtualNetworkName: "vnet",
      addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
    });
    const createAddress = (name: string) =>
      new network.PublicIPAddress(
        name,
        {
          ...inGroup,
          publicIpAddressName: name,
          sku: { name: "Standard" },
          publicIPAllocationMethod: "Static",
        },
        { ignoreChanges: ["natGateway"] },
      );
    const address = isPublic ? createAddress("inbound") : undefined;
    const gateway = isPublic
      ? undefined
      : new network.NatGateway("nat", {
          ...inGroup,
          natGatewayName: "nat",
          sku: { name: "Standard" },
          publicIpAddresses: [{ id: createAddress("outbound").id }],
        });
    const subnet = new network.Subnet("subnet", {
      resourceGroupName: group.name,
      virtualNetworkName: vnet.name,
      addressPrefix: "10.0.0.0/24",
      networkSecurityGroup: { id: securityGroup.id },
      ...(gateway && { natGateway: { id: gateway.id } }),
    });
    const nic = new network.NetworkInterface("nic", {
      ...inGroup,
      networkInterfaceName: "nic",
      ipConfigurations: [
        {
          name: "main",
          subnet: { id: subnet.id },
          ...(address && { publicIPAddress: { id: address.id } }),
        },
      ],
    });
    const vm = new compute.VirtualMachine("vm", {
      ...inGroup,
      vmName: "vm",
      identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
      hardwareProfile: { vmSize: "Standard_B2s_v2" },
      osProfile: { computerName: "vm", adminUsername: "operator", adminPassword: "Plain-Text-9z" },
      storageProfile: {
        imageReference: {
          publisher: "MicrosoftWindowsServer",
          offer: "WindowsServer",
          sku: "2025-datacenter-azure-edition",
          version: "latest",
        },
        osDisk: { createOption: "FromImage", deleteOption: "Delete" },
      },
      networkProfile: { networkInterfaces: [{ id: nic.id }] },
    });
    if (script === undefined) return Promise.resolve({ clientId: identity.clientId });

    const runCommand = new compute.VirtualMachineRunCommandByVirtualMachine(
      "check",
      {
        ...inGroup,
        vmName: vm.name,
        runCommandName: "check",
        source: { script },
        parameters: [{ name: "wait", value: "0" }],
        treatFailureAsDeploymentFailure: true,
      },
      { deletedWith: vm },
    );
    return Promise.resolve({
      clientId: identity.clientId,
      output: compute
        .getVirtualMachineRunCommandByVirtualMachineOutput({
          resourceGroupName: group.name,
          vmName: vm.name,
          runCommandName: runCommand.name,
          expand: "instanceView",
        })
        .apply(({ instanceView }) => instanceView.output),
    });
  };
}

/** A stack whose VMs keep what they are asked to run, and end as told. */
async function startWithGuest() {
  const guest = {
    scripts: [] as string[],
    result: { exitCode: 0, output: "all checks passed", error: "" } as ScriptResult,
  };
  const stack = await startStack({
    runScript: ({ script }: ScriptRequest) => {
      guest.scripts.push(script);
      return Promise.resolve(guest.result);
    },
  });
  return { ...stack, guest };
}

test("a run command runs, runs again when its script changes, and goes with its VM", async () => {
  const { azure, stack, up, preview, guest } = await startWithGuest();
  const first = await up(vmProgram({ script: "a" }));
  expect(first.outputs["output"]).toBe("all checks passed");
  expect((await up(vmProgram({ script: "a" }))).changes).toEqual({});
  await stack.refresh();
  expect((await preview(vmProgram({ script: "a" }))).steps).toEqual([]);
  expect(guest.scripts).toEqual(["a"]);

  guest.result = { exitCode: 0, output: "again", error: "" };
  const second = await up(vmProgram({ script: "b" }));
  expect(second.changes).toEqual({ update: 1 });
  expect(second.outputs["output"]).toBe("again");
  expect(guest.scripts).toEqual(["a", "b"]);

  const before = azure.requests.length;
  await stack.destroy();
  const deletions = azure.requests.slice(before).filter(({ method }) => method === "DELETE");
  expect(deletions.filter(({ path }) => path.includes("/runCommands/"))).toEqual([]);
  expect(azure.listResourceIds()).toEqual([]);
});

test("a script that fails fails the deployment, and another one repairs it", async () => {
  const { up, preview, readState, guest } = await startWithGuest();
  guest.result = { exitCode: 20, output: "", error: "no token" };
  await expect(up(vmProgram({ script: "a" }))).rejects.toThrow(
    /Code="VMExtensionProvisioningError".*exit code of: '20'/,
  );
  const kept = (await readState()).find(({ urn }) => urn.endsWith("::check"));
  expect(kept?.initErrors).toHaveLength(1);
  // Azure doesn't run the same script again, so that the failure stays.
  guest.result = { exitCode: 0, output: "", error: "" };
  await expect(up(vmProgram({ script: "a" }))).rejects.toThrow(/exit code of: '20'/);
  expect(guest.scripts).toEqual(["a"]);
  await up(vmProgram({ script: "b" }));
  expect((await preview(vmProgram({ script: "b" }))).steps).toEqual([]);
});

test("public address and NAT gateway take each other's place, there and back", async () => {
  const { up, portal, stack, azure } = await startStack();
  const getPublicId = async () => {
    const { ipConfigurations = [] } = await portal.network.networkInterfaces.get(GROUP, "nic");
    return ipConfigurations[0]?.publicIPAddress?.id?.split("/").at(-1);
  };
  await up(vmProgram());
  expect(await getPublicId()).toBeUndefined();
  const opened = await up(vmProgram({ isPublic: true, openPorts: ["3389"] }));
  expect(opened.changes).toEqual({ create: 1, update: 3, delete: 2 });
  expect(await getPublicId()).toBe("inbound");
  const closed = await up(vmProgram());
  expect(closed.changes).toEqual({ create: 2, update: 3, delete: 1 });
  expect(await getPublicId()).toBeUndefined();
  expect((await up(vmProgram())).changes).toEqual({});
  await stack.destroy();
  expect(azure.listResourceIds()).toEqual([]);
});

test("what was opened, detached and taken away by hand is seen, and put right by the next up", async () => {
  const { up, preview, stack, portal } = await startStack();
  const program = vmProgram({ isPublic: true });
  await up(program);

  const nic = await portal.network.networkInterfaces.get(GROUP, "nic");
  for (const one of nic.ipConfigurations ?? []) delete one.publicIPAddress;
  await portal.network.networkInterfaces.beginCreateOrUpdateAndWait(GROUP, "nic", nic);
  const nsg = await portal.network.networkSecurityGroups.get(GROUP, "nsg");
  await portal.network.networkSecurityGroups.beginCreateOrUpdateAndWait(GROUP, "nsg", {
    ...nsg,
    securityRules: [
      {
        name: "anybody",
        priority: 200,
        direction: "Inbound",
        access: "Allow",
        protocol: "*",
        sourceAddressPrefix: "*",
        sourcePortRange: "*",
        destinationAddressPrefix: "*",
        destinationPortRange: "3389",
      },
    ],
  });
  await portal.compute.virtualMachines.beginUpdateAndWait(GROUP, "vm", {
    identity: { type: "None" },
  });
  await stack.refresh();

  expect((await preview(program)).steps.sort()).toEqual([
    "nic: update",
    "nsg: update",
    "vm: update",
  ]);
  await up(program);
  const [repaired, closed, vm] = await Promise.all([
    portal.network.networkInterfaces.get(GROUP, "nic"),
    portal.network.networkSecurityGroups.get(GROUP, "nsg"),
    portal.compute.virtualMachines.get(GROUP, "vm"),
  ]);
  expect(repaired.ipConfigurations?.[0]?.publicIPAddress?.id).toMatch(/inbound$/);
  expect(closed.securityRules).toEqual([]);
  expect(Object.keys(vm.identity?.userAssignedIdentities ?? {})).toHaveLength(1);
  await stack.refresh();
  expect((await preview(program)).steps).toEqual([]);
});

test("an identity and a group that the stack didn't make are read, used, and left alone", async () => {
  const { azure, up, preview, stack, portal } = await startStack();
  await portal.resources.resourceGroups.createOrUpdate("rg-old", { location: LOCATION });
  const { id = "", clientId } = await portal.identity.userAssignedIdentities.createOrUpdate(
    "rg-old",
    "id-old",
    { location: LOCATION, tags: { owner: "me" } },
  );
  const program = vmProgram({ identityId: id });
  const { outputs } = await up(program);
  expect(outputs["clientId"]).toBe(clientId);
  const vm = await portal.compute.virtualMachines.get(GROUP, "vm");
  expect(Object.keys(vm.identity?.userAssignedIdentities ?? {})).toEqual([id]);
  expect((await up(program)).changes).toEqual({});
  await stack.refresh();
  expect((await preview(program)).steps).toEqual(["identity: read"]);

  const functions = await up(async () => ({
    group: (await resources.getResourceGroup({ resourceGroupName: "rg-old" })).location,
    identity: await managedidentity.getUserAssignedIdentity({
      resourceGroupName: "rg-old",
      resourceName: "id-old",
    }),
  }));
  expect(functions.outputs).toMatchObject({
    group: LOCATION,
    identity: { id, clientId, tags: { owner: "me" } },
  });
  await stack.destroy();
  expect(azure.listResourceIds().map((one) => one.split("/").at(-1))).toEqual(["rg-old", "id-old"]);

  const missing = up(() => {
    managedidentity.UserAssignedIdentity.get("identity", `${id}x`);
    return Promise.resolve();
  });
  await expect(missing).rejects.toThrow(/does not exist/);
});
