import { describe, expect, it } from "vitest";
import { checkSameTypes } from "../../../bench/stack/benchmark";
import { getDepths, getLowerBoundMs, type StateResource } from "../../../bench/stack/critical-path";

function resource(urn: string, ...dependencies: string[]): StateResource {
  return { urn, type: "azure-native:network:Subnet", custom: true, dependencies };
}

describe("the depths", () => {
  it("count the resources in the longest chain", () => {
    const resources = [resource("a"), resource("b", "a"), resource("c", "b", "a"), resource("d")];
    expect(getDepths(resources)).toEqual([1, 2, 3, 1]);
  });

  it("follow the dependencies of properties, and parents", () => {
    expect(
      getDepths([
        resource("a"),
        { ...resource("b"), propertyDependencies: { id: ["a"], name: null } },
        { ...resource("c"), parent: "b" },
      ]),
    ).toEqual([1, 2, 3]);
  });

  it("leave out what costs no operation: stack, providers and components", () => {
    expect(
      getDepths([
        { ...resource("stack"), type: "pulumi:pulumi:Stack", custom: false },
        { ...resource("provider"), type: "pulumi:providers:azure-native" },
        { ...resource("component"), type: "own:Network", custom: false },
        { ...resource("a", "provider", "component"), parent: "stack" },
      ]),
    ).toEqual([1]);
  });
});

it("tells programs that don't declare the same", () => {
  const stack: StateResource = { ...resource("stack"), type: "pulumi:pulumi:Stack", custom: false };
  const vm: StateResource = { ...resource("vm"), type: "azure-native:compute:VirtualMachine" };
  expect(() => {
    checkSameTypes([stack, resource("a"), vm], [vm, resource("b")]);
  }).not.toThrow();
  expect(() => {
    checkSameTypes([vm, resource("a")], [vm]);
  }).toThrow(/This stack: azure.*VirtualMachine, azure.*Subnet\nThe bare loop: azure.*Machine$/);
});

describe("the lower bound", () => {
  it.each([
    ["nothing to do", [], 1, 0],
    ["the critical path, with room for all", [1, 2, 3, 3, 3], 3, 30],
    ["all one after the other, without room", [1, 2, 3, 3, 3], 1, 50],
    ["the wide end in two batches, once the chain is through", [1, 2, 3, 3, 3], 2, 40],
    ["the wide begin in two batches", [1, 1, 1, 1, 2], 3, 20],
    ["the number of batches, when it's more than the chain", [1, 1, 1, 1, 1, 1, 1], 2, 40],
  ])("is %s", (_, depths, parallel, bound) => {
    expect(getLowerBoundMs(depths, 10, parallel)).toBe(bound);
  });
});
