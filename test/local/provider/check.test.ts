import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { unknownValue } from "@pulumi/pulumi/runtime/rpc";
import { describe, expect, test } from "vitest";
import { connect } from "./provider-client";

const GROUP = "azure-native:resources:ResourceGroup";
const IDENTITY = "azure-native:managedidentity:UserAssignedIdentity";
const ROLE_ASSIGNMENT = "azure-native:authorization:RoleAssignment";
const SUBNET = "azure-native:network:Subnet";
const VM = "azure-native:compute:VirtualMachine";
const RUN_COMMAND = "azure-native:compute:VirtualMachineRunCommandByVirtualMachine";

const seed = (text: string) => new TextEncoder().encode(text);

describe("names a program leaves out", () => {
  const location = "westeurope";
  test.each([
    [GROUP, { location }, "resourceGroupName", /^thing[0-9a-f]{8}$/, true],
    [IDENTITY, { location, resourceGroupName: "g" }, "resourceName", /^thing[0-9a-f]{8}$/, true],
    [VM, { location, resourceGroupName: "g" }, "vmName", /^thing[0-9a-f]{8}$/, true],
    [
      ROLE_ASSIGNMENT,
      { principalId: "p", roleDefinitionId: "r", scope: "s" },
      "roleAssignmentName",
      /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
      true,
    ],
    [
      SUBNET,
      { resourceGroupName: "g", virtualNetworkName: "v" },
      "subnetName",
      /^thing$/,
      undefined,
    ],
    [
      RUN_COMMAND,
      { location, resourceGroupName: "g", vmName: "v" },
      "runCommandName",
      /^thing$/,
      undefined,
    ],
  ])("%s", async (typeToken, news, nameKey, name, createBeforeDelete) => {
    const { check } = await connect();
    const { inputs, failures } = await check(typeToken, news, { randomSeed: seed("s") });
    expect(failures).toEqual([]);
    expect(inputs[nameKey]).toMatch(name);
    expect(inputs["__createBeforeDelete"]).toBe(createBeforeDelete);
  });

  test("depend on the seed alone, and are random without one", async () => {
    const { check } = await connect();
    const nameFor = async (randomSeed?: Uint8Array) => {
      const { inputs } = await check(GROUP, { location }, randomSeed && { randomSeed });
      return inputs["resourceGroupName"];
    };
    expect(await nameFor(seed("one"))).toBe(await nameFor(seed("one")));
    expect(await nameFor(seed("one"))).not.toBe(await nameFor(seed("two")));
    expect(await nameFor()).not.toBe(await nameFor());
  });

  test("stay what they were, and so does the mark of a made-up name", async () => {
    const { check } = await connect();
    const first = await check(GROUP, { location }, { randomSeed: seed("one") });
    const second = await check(
      GROUP,
      { location },
      { randomSeed: seed("two"), olds: first.inputs },
    );
    expect(second.inputs).toEqual(first.inputs);

    const named = await check(GROUP, { location }, { olds: { resourceGroupName: "rg-named" } });
    expect(named.inputs["resourceGroupName"]).toBe("rg-named");
    expect(named.inputs).not.toHaveProperty("__createBeforeDelete");
  });

  test("lose the mark when the program names the resource", async () => {
    const { check } = await connect();
    const first = await check(GROUP, { location });
    const news = { location, resourceGroupName: first.inputs["resourceGroupName"] };
    const second = await check(GROUP, news, { olds: first.inputs });
    expect(second.inputs).not.toHaveProperty("__createBeforeDelete");
  });
});

describe("the location a program leaves out", () => {
  const news = { resourceGroupName: "g", resourceName: "id" };

  test("is the old one first", async () => {
    const { check } = await connect();
    const { inputs } = await check(IDENTITY, news, { olds: { location: "uksouth" } });
    expect(inputs["location"]).toBe("uksouth");
  });

  test("is the provider's configured one next", async () => {
    const { call, check } = await connect();
    const args = Struct.fromJavaScript({ location: "swedencentral" });
    await call<rpc.ConfigureResponse>((c, done) =>
      c.configure(new rpc.ConfigureRequest().setArgs(args), done),
    );
    const { inputs } = await check(IDENTITY, news);
    expect(inputs["location"]).toBe("swedencentral");
  });

  test("is unknown as long as the resource group is", async () => {
    const { check } = await connect();
    const { inputs, failures } = await check(IDENTITY, {
      ...news,
      resourceGroupName: unknownValue,
    });
    expect(inputs["location"]).toBe(unknownValue);
    expect(failures).toEqual([]);
  });

  test("is missed in a resource group", async () => {
    const { check } = await connect();
    const { failures } = await check(GROUP, {});
    expect(failures.map((failure) => failure.reason)).toEqual([
      expect.stringMatching(/^missing required property 'location'.*pulumi config set/),
    ]);
  });

  test("isn't added where there is none", async () => {
    const { check } = await connect();
    const { inputs } = await check(SUBNET, { resourceGroupName: "g", virtualNetworkName: "v" });
    expect(inputs).not.toHaveProperty("location");
  });
});

describe("what is wrong with inputs", () => {
  test.each([
    [
      SUBNET,
      {},
      [
        "missing required property 'resourceGroupName'",
        "missing required property 'virtualNetworkName'",
      ],
    ],
    [
      ROLE_ASSIGNMENT,
      { scope: "s" },
      ["missing required property 'principalId'", "missing required property 'roleDefinitionId'"],
    ],
    [
      GROUP,
      { location: "westeurope", tag: { a: "b" } },
      [`unknown property 'tag': ${GROUP} has no such input`],
    ],
    // Unknown values count as there, null as not there.
    [SUBNET, { resourceGroupName: unknownValue, virtualNetworkName: "v" }, []],
    [
      SUBNET,
      { resourceGroupName: null, virtualNetworkName: "v" },
      ["missing required property 'resourceGroupName'"],
    ],
  ])("%s %j", async (typeToken, news, reasons) => {
    const { check } = await connect();
    const { failures } = await check(typeToken, news);
    // No `property`: the engine prints the value of a property that is named there.
    expect(failures).toEqual(reasons.map((reason) => ({ property: "", reason })));
  });
});

test("the API version is an input like any other", async () => {
  const { check } = await connect();
  const { inputs, failures } = await check(GROUP, { location: "westeurope" });
  expect(inputs["azureApiVersion"]).toBe("2024-03-01");
  expect(failures).toEqual([]);
});
