import { unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { describe, expect, test } from "vitest";
import { connect } from "./provider-client";

const GROUP = "azure-native:resources:ResourceGroup";
const ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment";
const PUBLIC_IP = "azure-native:network:PublicIPAddress";
const SUBNET = "azure-native:network:Subnet";
const NIC = "azure-native:network:NetworkInterface";
const VM = "azure-native:compute:VirtualMachine";
const RUN_COMMAND = "azure-native:compute:VirtualMachineRunCommandByVirtualMachine";
const SECURITY_GROUP = "azure-native:network:NetworkSecurityGroup";

describe("what a change of inputs asks for", () => {
  test.each<{
    what: string;
    type: string;
    olds: object;
    news: object;
    outputs?: object;
    details: Record<string, string>;
  }>([
    { what: "nothing", type: GROUP, olds: { location: "a" }, news: { location: "a" }, details: {} },
    {
      what: "nothing for internal inputs",
      type: GROUP,
      olds: { location: "a", __createBeforeDelete: true },
      news: { location: "a" },
      details: {},
    },
    {
      what: "nothing for the spelling of a location",
      type: GROUP,
      olds: { location: "West Europe" },
      news: { location: "westeurope" },
      details: {},
    },
    {
      what: "an update for tags, by path",
      type: GROUP,
      olds: { tags: { env: "dev", old: "x" } },
      news: { tags: { env: "prod", "cost center": "42" } },
      details: { "tags.env": "update", "tags.old": "delete", 'tags["cost center"]': "add" },
    },
    {
      what: "an update for a whole object that comes or goes",
      type: SUBNET,
      olds: { natGateway: { id: "n" } },
      news: { networkSecurityGroup: { id: "s" } },
      details: { natGateway: "delete", networkSecurityGroup: "add" },
    },
    {
      what: "an update for list items, by index",
      type: SUBNET,
      olds: { addressPrefixes: ["10.0.0.0/24", "10.0.1.0/24"] },
      news: { addressPrefixes: ["10.0.9.0/24", "10.0.1.0/24", "10.0.2.0/24"] },
      details: { "addressPrefixes[0]": "update", "addressPrefixes[2]": "add" },
    },
    {
      what: "an update for a value that isn't known yet",
      type: SUBNET,
      olds: { natGateway: { id: "n" } },
      news: { natGateway: { id: unknownValue } },
      details: { "natGateway.id": "update" },
    },
    {
      what: "a replacement for the location",
      type: GROUP,
      olds: { location: "westeurope" },
      news: { location: "uksouth" },
      details: { location: "update-replace" },
    },
    {
      what: "an update for a network interface's location, which Azure then refuses",
      type: NIC,
      olds: { location: "westeurope" },
      news: { location: "uksouth" },
      details: { location: "update" },
    },
    {
      what: "a replacement for any key of the path",
      type: SUBNET,
      olds: { resourceGroupName: "a", virtualNetworkName: "a", subnetName: "a" },
      news: { resourceGroupName: "b", virtualNetworkName: "b", subnetName: unknownValue },
      details: {
        resourceGroupName: "update-replace",
        virtualNetworkName: "update-replace",
        subnetName: "update-replace",
      },
    },
    {
      what: "a replacement for a role assignment's principal and scope, an update for its role",
      type: ROLE_ASSIGNMENT,
      olds: { principalId: "a", scope: "a", roleDefinitionId: "a" },
      news: { principalId: "b", scope: "b", roleDefinitionId: "b" },
      details: {
        principalId: "update-replace",
        scope: "update-replace",
        roleDefinitionId: "update",
      },
    },
    {
      what: "a replacement for what is inside a public address's sku",
      type: PUBLIC_IP,
      olds: { sku: { name: "Basic" }, publicIPAddressVersion: "IPv4", idleTimeoutInMinutes: 4 },
      news: { sku: { name: "Standard" }, idleTimeoutInMinutes: 5 },
      details: {
        "sku.name": "update-replace",
        publicIPAddressVersion: "delete-replace",
        idleTimeoutInMinutes: "update",
      },
    },
    {
      what: "no replacement for writing down what Azure chose",
      type: PUBLIC_IP,
      olds: {},
      news: { publicIPAddressVersion: "IPv4" },
      outputs: { publicIPAddressVersion: "IPv4" },
      details: { publicIPAddressVersion: "add" },
    },
    {
      what: "updates inside a virtual machine, even where Azure refuses them",
      type: VM,
      olds: { osProfile: { adminUsername: "a" }, hardwareProfile: { vmSize: "a" } },
      news: { osProfile: { adminUsername: "b" }, hardwareProfile: { vmSize: "b" } },
      details: { "osProfile.adminUsername": "update", "hardwareProfile.vmSize": "update" },
    },
    {
      what: "an update for a run command's script and parameters",
      type: RUN_COMMAND,
      olds: { source: { script: "a" }, parameters: [{ name: "wait", value: "0" }] },
      news: { source: { script: "b" }, parameters: [{ name: "wait", value: "1" }] },
      details: { "source.script": "update", "parameters[0].value": "update" },
    },
    {
      what: "a replacement for a run command's VM",
      type: RUN_COMMAND,
      olds: { vmName: "a", runCommandName: "check", source: { script: "a" } },
      news: { vmName: "b", runCommandName: "check", source: { script: "a" } },
      details: { vmName: "update-replace" },
    },
    {
      what: "an update for a network interface's public address that comes",
      type: NIC,
      olds: { ipConfigurations: [{ name: "a", subnet: { id: "s" } }] },
      news: {
        ipConfigurations: [{ name: "a", subnet: { id: "s" }, publicIPAddress: { id: "p" } }],
      },
      details: { "ipConfigurations[0].publicIPAddress": "add" },
    },
    {
      what: "an update for a security group's rule that goes",
      type: SECURITY_GROUP,
      olds: { securityRules: [{ name: "a" }, { name: "b" }] },
      news: { securityRules: [{ name: "b" }] },
      details: { "securityRules[0].name": "update", "securityRules[1]": "delete" },
    },
    {
      what: "nothing for the API version of a resource just imported",
      type: GROUP,
      olds: { location: "a" },
      news: { location: "a", azureApiVersion: "2024-03-01" },
      outputs: { azureApiVersion: "2024-03-01" },
      details: {},
    },
  ])("$what", async ({ type, olds, news, outputs, details }) => {
    const { diff } = await connect();
    const result = await diff(type, olds, news, outputs);
    expect(result.details).toEqual(details);
    expect(result.changed).toBe(Object.keys(details).length > 0);
    const replaces = Object.keys(details).filter((path) => details[path]?.endsWith("-replace"));
    expect(result.replaces.sort()).toEqual(replaces.sort());
  });
});

describe("what goes first at a replacement", () => {
  test.each([
    ["the old resource, if the program named it", {}, "uksouth", true],
    ["the new one, if the name was made up", { __createBeforeDelete: true }, "uksouth", false],
    ["neither, without a replacement", {}, "westeurope", false],
  ])("%s", async (_what, mark, location, deleteBeforeReplace) => {
    const { diff } = await connect();
    const result = await diff(
      GROUP,
      { location: "westeurope", tags: { a: "b" }, ...mark },
      { location, ...mark },
    );
    expect(result.deleteBeforeReplace).toBe(deleteBeforeReplace);
  });
});
