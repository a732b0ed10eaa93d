import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc";
import type { ServiceError } from "@grpc/grpc-js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startLocalAzure, type LocalAzure } from "../../../local/azure";
import { createClients } from "../../../local/provider/clients";
import { connect } from "./provider-client";

const GROUP = "azure-native:resources:ResourceGroup";
const IDENTITY = "azure-native:managedidentity:UserAssignedIdentity";
const VNET = "azure-native:network:VirtualNetwork";
const SUBNET = "azure-native:network:Subnet";
const SECURITY_GROUP = "azure-native:network:NetworkSecurityGroup";
const NIC = "azure-native:network:NetworkInterface";
const VM = "azure-native:compute:VirtualMachine";
const NAT_GATEWAY = "azure-native:network:NatGateway";
const PUBLIC_IP = "azure-native:network:PublicIPAddress";
const ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment";
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

const group = { resourceGroupName: "rg", location: "westeurope" };
const identity = { ...group, resourceName: "id-one" };

/** A local Azure, a provider of it, and a second way in for what happens behind Pulumi's back. */
async function start(settings: Parameters<typeof startLocalAzure>[0] = {}) {
  const azure = await startLocalAzure(settings);
  onTestFinished(() => azure.close());
  const providerSettings = {
    armEndpoint: azure.armEndpoint,
    caCertificate: azure.caCertificate,
    subscriptionId: azure.subscriptionId,
    tenantId: azure.tenantId,
    getToken: () => azure.getDeployerToken(),
  };
  return {
    azure,
    provider: await connect(providerSettings),
    portal: createClients(providerSettings),
  };
}

/** What a failed call says of a resource that it left behind; undefined if nothing. */
async function getInitFailure(call: Promise<unknown>) {
  const error = await call.then(
    () => {
      throw new Error("The call succeeded.");
    },
    (reason: unknown) => reason as ServiceError,
  );
  const [answer] = error.metadata.get("grpc-status-details-bin");
  if (answer === undefined) return undefined;
  const status = Status.deserializeBinary(new Uint8Array(answer as Buffer));
  expect(status.getMessage()).toBe(error.details);
  const [detail] = status.getDetailsList();
  expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
  return ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
}

const writes = (azure: LocalAzure) =>
  azure.requests.filter((request) => request.method !== "GET").map((request) => request.method);

describe("creation", () => {
  test("gives azure-native's outputs: flattened, with the API version, without the id", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, group);
    const { id, outputs } = await provider.create(IDENTITY, { ...identity, tags: { env: "dev" } });
    expect(id).toBe(
      `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-one`,
    );
    expect(outputs).toMatchObject({
      name: "id-one",
      location: "westeurope",
      tags: { env: "dev" },
      tenantId: azure.tenantId,
      azureApiVersion: "2023-01-31",
      clientId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      principalId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
    expect(outputs).not.toHaveProperty("id");
    expect(outputs).not.toHaveProperty("properties");
  });

  test("refuses an id that exists, and leaves what is there alone", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, { ...group, tags: { owner: "me" } });
    const before = writes(azure).length;
    await expect(provider.create(GROUP, group)).rejects.toThrow(
      /cannot create already existing resource '\/subscriptions\/.*\/resourceGroups\/rg'/,
    );
    expect(writes(azure)).toHaveLength(before);
  });

  test("in a preview asks nothing of Azure, and knows only what comes back as it was given", async () => {
    const { provider, azure } = await start();
    const { id, outputs } = await provider.create(
      VNET,
      { ...group, addressSpace: { addressPrefixes: ["10.0.0.0/24"] }, tags: { a: "b" } },
      { preview: true },
    );
    expect({ id, outputs }).toEqual({
      id: "",
      outputs: { location: "westeurope", tags: { a: "b" }, addressSpace: unknownValue },
    });
    expect(azure.requests).toEqual([]);
  });

  test("tells what Azure refuses as azure-native does", async () => {
    const { provider } = await start();
    const failure = provider.create(IDENTITY, identity);
    await expect(failure).rejects.toThrow(
      /Status=404 Code="ResourceGroupNotFound" Message="Resource group 'rg' could not be found\."/,
    );
  });

  test("quotes no input of a wrong type", async () => {
    const { provider } = await start();
    await provider.create(GROUP, group);
    const failure = provider.create(VM, {
      ...group,
      vmName: "vm",
      osProfile: { adminPassword: ["S3cret-pass"] },
    });
    await expect(failure).rejects.toSatisfy(
      ({ details }: ServiceError) =>
        details.endsWith("virtualMachines/vm' has a wrong type.") &&
        !details.includes("S3cret-pass"),
    );
  });

  test("quotes no answer that can't be read", async () => {
    const { provider, azure } = await start();
    azure.answerNext({
      service: "arm",
      method: "PUT",
      path: /rg$/,
      answer: {
        status: 200,
        headers: { "content-type": "application/json" },
        body: '{"echo":"S3cret-pass',
      },
    });
    await expect(provider.create(GROUP, group)).rejects.toSatisfy(
      ({ details }: ServiceError) =>
        details.includes("PARSE_ERROR") && !details.includes("S3cret-pass"),
    );
  });

  test("takes only a polled answer for an operation's", async () => {
    const { provider, azure } = await start();
    const body = { id: "/rg", name: "rg", location: "westeurope", status: "Failed" };
    azure.answerNext({ service: "arm", method: "PUT", path: /rg$/, answer: { status: 200, body } });
    azure.answerNext({ service: "arm", method: "GET", path: /rg$/, answer: { status: 404 } });
    azure.answerNext({ service: "arm", method: "GET", path: /rg$/, answer: { status: 200, body } });
    expect((await provider.create(GROUP, group)).outputs).toMatchObject({ name: "rg" });
  });

  test("that Azure accepts and then fails at keeps the resource", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, group);
    azure.answerNext({
      service: "arm",
      path: /\/operations\//,
      answer: {
        status: 200,
        body: { status: "Failed", error: { code: "NoMoreAddresses", message: "Come back later." } },
      },
    });
    const inputs = {
      ...group,
      publicIpAddressName: "pip",
      sku: { name: "Standard" },
      publicIPAllocationMethod: "Static",
    };
    const reason = 'Status=200 Code="NoMoreAddresses" Message="Come back later."';
    const failure = await getInitFailure(provider.create(PUBLIC_IP, inputs));
    expect(failure?.getId()).toMatch(/publicIPAddresses\/pip$/);
    expect(failure?.getReasonsList()).toEqual([reason]);
    expect(failure?.getInputs()?.toJavaScript()).toEqual(inputs);
    expect(failure?.getProperties()?.toJavaScript()).toMatchObject({ name: "pip" });
  });

  test("whose result can't be read keeps the resource", async () => {
    const { provider, azure } = await start();
    const denied = { error: { code: "AuthorizationFailed", message: "No." } };
    azure.answerNext({ service: "arm", method: "GET", path: /rg$/, answer: { status: 404 } });
    azure.answerNext({
      service: "arm",
      method: "GET",
      path: /rg$/,
      answer: { status: 403, body: denied },
    });
    const failure = await getInitFailure(provider.create(GROUP, group));
    expect(failure?.getId()).toMatch(/resourceGroups\/rg$/);
    expect(failure?.getReasonsList()).toEqual([
      'written, but not read: Status=403 Code="AuthorizationFailed" Message="No."',
    ]);
    expect(failure?.getProperties()?.toJavaScript()).toMatchObject({ name: "rg" });
  });

  test("that Azure refuses leaves nothing to keep", async () => {
    const { provider } = await start();
    await provider.create(GROUP, group);
    const failure = provider.create(SUBNET, {
      ...group,
      virtualNetworkName: "no",
      subnetName: "s",
    });
    expect(await getInitFailure(failure)).toBeUndefined();
  });

  test("that Azure refuses doesn't adopt what another made meanwhile", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, group);
    const body = { error: { code: "InvalidResourceGroupLocation", message: "It is elsewhere." } };
    azure.answerNext({ service: "arm", method: "GET", path: /rg$/, answer: { status: 404 } });
    azure.answerNext({ service: "arm", method: "PUT", path: /rg$/, answer: { status: 409, body } });
    await expect(provider.create(GROUP, group)).rejects.toSatisfy(
      (error: ServiceError) =>
        error.details.startsWith('Status=409 Code="InvalidResourceGroupLocation"') &&
        error.metadata.get("grpc-status-details-bin").length === 0,
    );
  });

  test("gets over an answer that doesn't come", async () => {
    const { provider, azure } = await start();
    azure.answerNext({ service: "arm", method: "PUT", path: /rg$/, answer: "reset" });
    azure.answerNext({ service: "arm", method: "PUT", path: /rg$/, answer: { status: 503 } });
    await expect(provider.create(GROUP, group)).resolves.toMatchObject({
      outputs: { name: "rg" },
    });
  });

  test("goes past a proxy that the environment names", async () => {
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:9");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { provider } = await start();
    await expect(provider.create(GROUP, group)).resolves.toMatchObject({
      outputs: { name: "rg" },
    });
  });
});

test("the location left out is that of the resource group", async () => {
  const { provider } = await start();
  await provider.create(GROUP, { ...group, location: "northeurope" });
  const found = await provider.check(IDENTITY, { resourceGroupName: "rg" });
  expect(found.inputs["location"]).toBe("northeurope");
  const missing = await provider.check(IDENTITY, { resourceGroupName: "elsewhere" });
  expect(missing.failures.map(({ reason }) => reason)).toEqual([
    expect.stringContaining("missing required property 'location'"),
  ]);
});

describe("reading", () => {
  test("says that a resource is gone", async () => {
    const { provider } = await start();
    const { id, outputs } = await provider.create(GROUP, group);
    await provider.delete(GROUP, id);
    expect(await provider.read(GROUP, id, { inputs: group, outputs })).toEqual({
      id: "",
      inputs: {},
      outputs: {},
    });
  });

  test("changes no inputs when nothing drifted", async () => {
    const { provider } = await start();
    const inputs = { ...group, tags: { a: "b" } };
    const { id, outputs } = await provider.create(GROUP, inputs);
    expect(await provider.read(GROUP, id, { inputs, outputs })).toEqual({ id, inputs, outputs });
  });

  test("carries what drifted into the inputs, and nothing else", async () => {
    const { provider, portal } = await start();
    const inputs = { ...group, tags: { kept: "1", changed: "1", gone: "1" } };
    const { id, outputs } = await provider.create(GROUP, inputs);
    await portal.resources.resourceGroups.createOrUpdate("rg", {
      location: "westeurope",
      tags: { kept: "1", changed: "2", added: "1" },
    });
    const read = await provider.read(GROUP, id, { inputs, outputs });
    expect(read.inputs).toEqual({ ...group, tags: { kept: "1", changed: "2", added: "1" } });
  });

  test("takes subnets made elsewhere for no drift of their network", async () => {
    const { provider } = await start();
    await provider.create(GROUP, group);
    const inputs = {
      ...group,
      virtualNetworkName: "vnet",
      addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
    };
    const vnet = await provider.create(VNET, inputs);
    const subnet = { ...group, virtualNetworkName: "vnet", subnetName: "s" };
    await provider.create(SUBNET, { ...subnet, addressPrefix: "10.0.0.0/25" });
    const read = await provider.read(VNET, vnet.id, { inputs, outputs: vnet.outputs });
    expect(read.inputs).toEqual(inputs);
    expect(read.outputs["subnets"]).toHaveLength(1);

    const news = { ...inputs, tags: { a: "b" } };
    const updated = await provider.update(VNET, vnet.id, { inputs, outputs: read.outputs }, news);
    expect(updated).toMatchObject({ tags: { a: "b" }, subnets: [{ name: "s" }] });
  });

  test("takes what Azure adds inside a network's own subnets for no drift", async () => {
    const { provider, portal } = await start();
    await provider.create(GROUP, group);
    const inputs = {
      ...group,
      virtualNetworkName: "vnet",
      addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
      subnets: [{ name: "s", addressPrefix: "10.0.0.0/25" }],
    };
    const { id, outputs } = await provider.create(VNET, inputs);
    await portal.network.networkInterfaces.beginCreateOrUpdateAndWait("rg", "nic", {
      location: "westeurope",
      ipConfigurations: [{ name: "internal", subnet: { id: `${id}/subnets/s` } }],
    });
    const read = await provider.read(VNET, id, { inputs, outputs });
    expect(read.outputs["subnets"]).toMatchObject([{ ipConfigurations: [{}] }]);
    expect(read.inputs).toEqual(inputs);
  });

  test("takes the gateway that Azure adds to a public address for drift, as azure-native does", async () => {
    const { provider } = await start();
    await provider.create(GROUP, group);
    const inputs = {
      ...group,
      publicIpAddressName: "pip",
      sku: { name: "Standard" },
      publicIPAllocationMethod: "Static",
    };
    const address = await provider.create(PUBLIC_IP, inputs);
    const gateway = await provider.create(NAT_GATEWAY, {
      ...group,
      natGatewayName: "nat",
      sku: { name: "Standard" },
      publicIpAddresses: [{ id: address.id }],
    });
    const read = await provider.read(PUBLIC_IP, address.id, { inputs, outputs: address.outputs });
    expect(read.inputs).toEqual({ ...inputs, natGateway: { id: gateway.id } });
  });

  test("without a state derives the inputs from the id and what Azure has", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, group);
    const { id } = await provider.create(IDENTITY, { ...identity, tags: { a: "b" } });
    const read = await provider.read(IDENTITY, id.replace("resourceGroups", "resourcegroups"));
    expect(read.inputs).toEqual({ ...identity, tags: { a: "b" } });
    expect(read.outputs["tenantId"]).toBe(azure.tenantId);
  });

  test("without a state leaves out what only Azure writes", async () => {
    const { provider } = await start();
    await provider.create(GROUP, group);
    const named = { resourceGroupName: "rg", virtualNetworkName: "vnet" };
    const addressSpace = { addressPrefixes: ["10.0.0.0/24"] };
    await provider.create(VNET, { ...named, location: "westeurope", addressSpace });
    const subnet = await provider.create(SUBNET, {
      ...named,
      subnetName: "s",
      addressPrefix: "10.0.0.0/24",
    });
    const readSubnet = await provider.read(SUBNET, subnet.id);
    expect(readSubnet.inputs).toMatchObject({ ...named, subnetName: "s" });
    expect(readSubnet.outputs).toMatchObject({ name: "s", provisioningState: "Succeeded" });
    for (const name of ["id", "name", "type", "etag", "provisioningState"]) {
      expect(readSubnet.inputs).not.toHaveProperty(name);
    }

    const nic = await provider.create(NIC, {
      ...group,
      networkInterfaceName: "nic",
      ipConfigurations: [{ name: "internal", subnet: { id: subnet.id } }],
    });
    const readNic = await provider.read(NIC, nic.id);
    expect(readNic.outputs["ipConfigurations"]).toMatchObject([
      { etag: expect.anything() as unknown },
    ]);
    expect(readNic.inputs["ipConfigurations"]).toMatchObject([{ name: "internal" }]);
    expect(JSON.stringify(readNic.inputs)).not.toMatch(/etag|provisioningState/);

    const { id: identityId } = await provider.create(IDENTITY, identity);
    const vm = await provider.create(VM, {
      ...group,
      vmName: "vm",
      identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: [identityId] },
      hardwareProfile: { vmSize: "Standard_B2s_v2" },
      osProfile: {
        computerName: "vm",
        adminUsername: "operator",
        adminPassword: "Plain-Text-9z",
      },
      storageProfile: {
        imageReference: {
          publisher: "MicrosoftWindowsServer",
          offer: "WindowsServer",
          sku: "2025-datacenter-azure-edition",
          version: "latest",
        },
        osDisk: { createOption: "FromImage" },
      },
      networkProfile: { networkInterfaces: [{ id: nic.id }] },
    });
    expect(vm.outputs["identity"]).toMatchObject({
      principalId: expect.any(String) as unknown,
      userAssignedIdentities: { [identityId]: { clientId: expect.any(String) as unknown } },
    });
    expect(JSON.stringify(vm.outputs)).not.toContain("Plain-Text-9z");
    expect((await provider.read(VM, vm.id)).inputs["identity"]).toEqual({
      type: "SystemAssigned, UserAssigned",
      userAssignedIdentities: [identityId],
    });
  });

  test("refuses an id of another type", async () => {
    const { provider } = await start();
    await expect(provider.read(GROUP, "/subscriptions/x")).rejects.toThrow(
      "'/subscriptions/x' is not an id of the form '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}'",
    );
  });

  test("passes on what isn't a missing resource", async () => {
    const { provider, azure } = await start();
    const { id, outputs } = await provider.create(GROUP, group);
    azure.answerNext({
      service: "arm",
      method: "GET",
      path: /rg$/,
      answer: { status: 403, body: { error: { code: "AuthorizationFailed", message: "No." } } },
    });
    await expect(provider.read(GROUP, id, { inputs: group, outputs })).rejects.toThrow(
      'Status=403 Code="AuthorizationFailed" Message="No."',
    );
  });
});

describe("an update", () => {
  test("changes what is there", async () => {
    const { provider } = await start();
    const { id, outputs } = await provider.create(GROUP, group);
    const news = { ...group, tags: { env: "prod" } };
    const updated = await provider.update(GROUP, id, { inputs: group, outputs }, news);
    expect(updated).toMatchObject({ name: "rg", tags: { env: "prod" } });
  });

  test("leaves rules alone that the program doesn't list", async () => {
    const { provider, portal } = await start();
    await provider.create(GROUP, group);
    const inputs = { ...group, networkSecurityGroupName: "nsg" };
    const { id, outputs } = await provider.create(SECURITY_GROUP, inputs);
    const rule = {
      name: "deny-all",
      priority: 4096,
      direction: "Inbound",
      access: "Deny",
      protocol: "*",
      sourceAddressPrefix: "*",
      sourcePortRange: "*",
      destinationAddressPrefix: "*",
      destinationPortRange: "*",
    };
    await portal.network.networkSecurityGroups.beginCreateOrUpdateAndWait("rg", "nsg", {
      location: "westeurope",
      securityRules: [rule],
    });
    const news = { ...inputs, tags: { a: "b" } };
    expect(await provider.update(SECURITY_GROUP, id, { inputs, outputs }, news)).toMatchObject({
      tags: { a: "b" },
      securityRules: [{ name: "deny-all", priority: 4096 }],
    });
  });

  test("in a preview keeps the outputs that stay, such as the principal id", async () => {
    const { provider, azure } = await start();
    const last = {
      inputs: { ...identity, tags: { a: "1" } },
      outputs: { principalId: "p", tags: { a: "1" } },
    };
    const news = { ...identity, tags: { a: "2" } };
    expect(await provider.update(IDENTITY, "id", last, news, { preview: true })).toEqual({
      principalId: "p",
      tags: { a: "2" },
    });
    expect(azure.requests).toEqual([]);
  });

  test("in a preview doesn't know an object that changes, or a value that goes", async () => {
    const { provider } = await start();
    const last = {
      inputs: {
        addressSpace: { addressPrefixes: ["a"] },
        dhcpOptions: { dnsServers: ["d"] },
        tags: { a: "1" },
      },
      outputs: {
        name: "v",
        addressSpace: {},
        dhcpOptions: { dnsServers: ["d"] },
        tags: { a: "1" },
      },
    };
    const news = { addressSpace: { addressPrefixes: ["b"] }, dhcpOptions: { dnsServers: ["d"] } };
    expect(await provider.update(VNET, "id", last, news, { preview: true })).toEqual({
      name: "v",
      addressSpace: unknownValue,
      dhcpOptions: { dnsServers: ["d"] },
      tags: unknownValue,
    });
  });
});

test("deleting what is gone already is fine, and a failure to delete is told", async () => {
  const { provider, azure } = await start();
  const { id } = await provider.create(GROUP, group);
  const child = await provider.create(IDENTITY, identity);
  await provider.delete(IDENTITY, child.id);
  await provider.delete(IDENTITY, child.id);
  azure.answerNext({ service: "arm", method: "DELETE", path: /id-one$/, answer: { status: 404 } });
  await provider.delete(IDENTITY, child.id);
  azure.answerNext({
    service: "arm",
    method: "DELETE",
    path: /rg$/,
    answer: { status: 409, body: { error: { code: "ScopeLocked", message: "Locked." } } },
  });
  await expect(provider.delete(GROUP, id)).rejects.toThrow('Status=409 Code="ScopeLocked"');
  expect(azure.listResourceIds()).toEqual([id]);
  await provider.delete(GROUP, id);
  expect(azure.listResourceIds()).toEqual([]);
});

test("a role assignment's scope may start with a slash", async () => {
  const { provider, azure } = await start();
  const scope = (await provider.create(GROUP, group)).id;
  const { outputs } = await provider.create(IDENTITY, identity);
  const inputs = {
    scope,
    roleAssignmentName: "11111111-2222-4333-8444-555555555555",
    principalId: outputs["principalId"],
    principalType: "ServicePrincipal",
    roleDefinitionId: `/subscriptions/${azure.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${READER}`,
  };
  const created = await provider.create(ROLE_ASSIGNMENT, inputs);
  expect(created.id).toBe(
    `${scope}/providers/Microsoft.Authorization/roleAssignments/${inputs.roleAssignmentName}`,
  );
  expect((await provider.read(ROLE_ASSIGNMENT, created.id)).inputs).toEqual(inputs);
  expect(azure.requests.filter(({ path }) => path.startsWith("//"))).toEqual([]);
});

test("the function getClientConfig tells who deploys where", async () => {
  const { provider, azure } = await start();
  const request = new rpc.InvokeRequest()
    .setTok("azure-native:authorization:getClientConfig")
    .setArgs(Struct.fromJavaScript({}));
  const response = await provider.call<rpc.InvokeResponse>((c, done) => c.invoke(request, done));
  const { token } = await azure.getDeployerToken();
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as {
    appid: string;
    oid: string;
  };
  expect(response.getReturn()?.toJavaScript()).toEqual({
    subscriptionId: azure.subscriptionId,
    tenantId: azure.tenantId,
    clientId: claims.appid,
    objectId: claims.oid,
  });
});

describe("a function that reads a resource", () => {
  test("gives its outputs and its id", async () => {
    const { provider, azure } = await start();
    await provider.create(GROUP, group);
    const { id, outputs } = await provider.create(IDENTITY, identity);
    expect(
      await provider.invoke("azure-native:managedidentity:getUserAssignedIdentity", {
        resourceGroupName: "rg",
        resourceName: "id-one",
      }),
    ).toEqual({ ...outputs, id });
    expect(outputs["tenantId"]).toBe(azure.tenantId);
  });

  test.each([
    ["azure-native:storage:getStorageAccount", {}, /function 'azure-native:storage:/],
    ["azure-native:resources:ResourceGroup", {}, /function 'azure-native:resources:ResourceGroup'/],
    ["azure-native:resources:getResourceGroup", { expand: "a" }, /argument 'expand'/],
    ["azure-native:resources:getResourceGroup", { resourceGroupName: "no" }, /Status=404/],
  ])("refuses %s with %o", async (token, args, expected) => {
    const { provider } = await start();
    await expect(provider.invoke(token, args)).rejects.toThrow(expected);
  });
});
