import * as pulumi from "@pulumi/pulumi";
import * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as network from "@pulumi/azure-native/network";
import * as resources from "@pulumi/azure-native/resources";
import { beforeAll, expect, test } from "vitest";
import { parseId, pathInputs } from "../../../local/provider/resource-kind";
import { findKind, TYPE_TOKENS } from "../../../local/provider/resources";

type ResourceClass = new (name: string, args: unknown) => pulumi.CustomResource;

const SDK: Record<string, Record<string, unknown>> = {
  authorization: { ...authorization },
  compute: { ...compute },
  managedidentity: { ...managedidentity },
  network: { ...network },
  resources: { ...resources },
};

beforeAll(async () => {
  await pulumi.runtime.setMocks({
    newResource: ({ name }) => ({ id: name, state: {} }),
    call: () => ({}),
  });
});

test.each(TYPE_TOKENS)("%s has the inputs and the API version of the SDK's class", (token) => {
  const [, module = "", name = ""] = token.split(":");
  const sdkClass = SDK[module]?.[name] as ResourceClass;
  const kind = findKind(token);

  // The SDK's constructor reads every input there is off its arguments.
  const asked = new Set<string>();
  const recorder = new Proxy(
    {},
    {
      get: (_, property) => {
        if (typeof property === "string") asked.add(property);
        return "value";
      },
    },
  );
  new sdkClass("thing", recorder);
  expect([...pathInputs(kind), ...kind.bodyInputs].sort()).toEqual([...asked].sort());
  expect(kind.required.filter((input) => !kind.bodyInputs.includes(input))).toEqual([]);
  expect(pathInputs(kind)).toContain(kind.nameKey);

  // What the SDK demands before the engine is even asked, the table demands too.
  const demanded = [...sdkClass.toString().matchAll(/Missing required property '(\w+)'/g)];
  const needed = [...pathInputs(kind), ...kind.required];
  expect(
    demanded.map(([, input]) => input).filter((input) => !needed.includes(input ?? "")),
  ).toEqual([]);
});

test("the ids of a kind hold its keys, whatever the casing of the rest", () => {
  const id =
    "/subscriptions/s/resourcegroups/RG/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
  expect(parseId(findKind("azure-native:network:Subnet"), id)).toMatchObject({
    resourceGroupName: "RG",
    virtualNetworkName: "v",
    subnetName: "n",
  });
  expect(() => parseId(findKind("azure-native:resources:ResourceGroup"), id)).toThrow(
    /is not an id of the form/,
  );
});
