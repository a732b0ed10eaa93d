import { describe, expect, test } from "vitest";
import { readOutput } from "../../local/story";
import { change, createGroup, createIdentity, expectOrder, startDeployment } from "./deployment";

test("VMs are added and removed without touching the others", async () => {
  const deployment = await startDeployment();
  await change(deployment, {});

  const three = await change(deployment, { vmCount: "3" });
  expect(three.changes).toEqual({ create: 4, same: 11 });
  expect(Object.keys(three.outputs.vmIds?.value as object)).toEqual([
    "windows-vm",
    "windows-vm-2",
    "windows-vm-3",
  ]);
  const two = await change(deployment, { vmCount: "2" });
  expect(two.changes).toEqual({ delete: 2, same: 13 });
  expect(two.writes.map((write) => write.replace(/[\da-f]{8}$/, "…"))).toEqual([
    "DELETE virtualMachines/windows-vm-3",
    "DELETE networkInterfaces/network-interface-3…",
  ]);

  await deployment.destroy();
  expect(deployment.session.azure.listResourceIds()).toEqual([]);
});

test("Remote Desktop takes the place of the NAT gateway, and gives it back", async () => {
  const deployment = await startDeployment();
  await change(deployment, { vmCount: "2" });

  const open = await change(deployment, { "allowRdpFrom[0]": "203.0.113.7/32" });
  expect(open.changes).toEqual({ create: 2, update: 4, delete: 2, same: 7 });
  expect(Object.keys(open.outputs.publicAddresses?.value as object)).toHaveLength(2);
  // Each VM has a way out of its own before the common one goes.
  expectOrder(open.writes, "PUT publicIPAddresses/", "PUT networkInterfaces/");
  expectOrder(open.writes, "PUT subnets/", "DELETE natGateways/", "DELETE publicIPAddresses/");
  expectOrder(open.writes, "PUT networkInterfaces/", "DELETE natGateways/");

  const closed = await change(deployment, { allowRdpFrom: undefined });
  expect(closed.changes).toEqual({ create: 2, update: 4, delete: 2, same: 7 });
  expect(closed.outputs.publicAddresses?.value).toEqual({});
  expectOrder(
    closed.writes,
    "PUT publicIPAddresses/outbound-address",
    "PUT natGateways/",
    "PUT subnets/",
    "PUT networkInterfaces/",
    "DELETE publicIPAddresses/",
  );
  // Nothing of the way in is left at Azure.
  const group = readOutput(closed.outputs, "resourceGroupId");
  const addresses = await deployment.callArm(
    "GET",
    `${group}/providers/Microsoft.Network/publicIPAddresses?api-version=2024-05-01`,
  );
  expect(addresses).toMatchObject({
    value: [{ name: expect.stringMatching(/^outbound-address/) as string }],
  });

  await deployment.destroy();
  expect(deployment.session.azure.listResourceIds()).toEqual([]);
});

test("what exists already is used, and outlives the stack", async () => {
  const deployment = await startDeployment();
  const { session } = deployment;
  const resourceGroupId = await createGroup(deployment, "rg-own");
  const identityId = await createIdentity(deployment, await createGroup(deployment, "rg-ids"));
  const before = session.azure.listResourceIds();

  const { outputs } = await change(deployment, { resourceGroupId, identityId });
  expect(readOutput(outputs, "resourceGroupName")).toBe("rg-own");
  expect(readOutput(outputs, "identityId")).toBe(identityId);
  expect(readOutput(outputs, "vmId")).toContain("/resourceGroups/rg-own/");
  expect(readOutput(outputs, "roleAssignmentScope")).toBe(resourceGroupId);

  await deployment.destroy();
  expect(session.azure.listResourceIds()).toEqual(before);
});

describe("proof on deployment", () => {
  /** How often verify was told to run. */
  const countRuns = (writes: readonly string[]) =>
    writes.filter((write) => write === "PUT runCommands/verify").length;

  test("is given by each VM, and again once something about it changes, and not otherwise", async () => {
    const deployment = await startDeployment();
    const { outputs, writes } = await change(deployment, { vmCount: "2", verifyOnDeploy: "true" });
    expect(outputs.verifyResults?.value).toEqual({
      "windows-vm": { state: "Succeeded", exitCode: 0, output: expect.any(String) as string },
      "windows-vm-2": { state: "Succeeded", exitCode: 0, output: expect.any(String) as string },
    });
    expect(JSON.stringify(outputs.verifyResults?.value)).toContain("[ ok ] The identity is Reader");
    expect(countRuns(writes)).toBe(2);

    expect((await change(deployment, {})).writes).toEqual([]);
    const resized = await change(deployment, { vmSize: "Standard_D2s_v6" });
    expect(resized.changes).toEqual({ update: 2, same: 13 });
    expect(countRuns(resized.writes)).toBe(0);

    const renamed = await change(deployment, { identityName: "other-identity" });
    expect(countRuns(renamed.writes)).toBe(2);
    expect(JSON.stringify(renamed.outputs.verifyResults?.value)).toContain(
      readOutput(renamed.outputs, "identityClientId"),
    );
    const assigned = await change(deployment, {}, { replace: ["**::reader-on-resource-group"] });
    expect(countRuns(assigned.writes)).toBe(2);
    expectOrder(assigned.writes, "PUT roleAssignments/", "PUT runCommands/verify");
    const replaced = await change(deployment, { imageSku: "2022-datacenter-azure-edition" });
    expect(countRuns(replaced.writes)).toBe(2);
    const third = await change(deployment, { vmCount: "3" });
    expect(countRuns(third.writes)).toBe(1);

    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test("is in nobody's way when its VM is stopped, and goes with it", async () => {
    const deployment = await startDeployment();
    const { outputs } = await change(deployment, { vmCount: "2", verifyOnDeploy: "true" });
    const vmIds = outputs.vmIds?.value as Record<string, string>;
    const stop = (name: string) =>
      deployment.callArm("POST", `${vmIds[name] ?? ""}/deallocate?api-version=2024-11-01`, {});

    await stop("windows-vm-2");
    const one = await change(deployment, { vmCount: "1" });
    expect(one.changes).toEqual({ delete: 3, same: 12 });
    await stop("windows-vm");
    const replaced = await change(deployment, { imageSku: "2022-datacenter-azure-edition" });
    expect(replaced.writes).toEqual([
      "DELETE virtualMachines/windows-vm",
      "PUT virtualMachines/windows-vm",
      "PUT runCommands/verify",
    ]);
    await stop("windows-vm");
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test("fails the deployment when verify fails, and is given once that is mended", async () => {
    const deployment = await startDeployment();
    const { session, up, getPulumiOutput } = deployment;
    await session.devStack.setConfig("verifyOnDeploy", "true");
    session.azure.answerNext({
      service: "imds",
      path: /\/oauth2\/token/,
      answer: {
        status: 400,
        body: { error: "invalid_resource", error_description: "AADSTS500011" },
      },
    });
    await expect(up()).rejects.toThrow();
    expect(getPulumiOutput()).toContain("exit code of: '21'");

    const mended = await up({ replace: ["**::verify"] });
    expect(mended.outputs.verifyResults?.value).toMatchObject({
      "windows-vm": { state: "Succeeded", exitCode: 0 },
    });
    await deployment.destroy();
    expect(session.azure.listResourceIds()).toEqual([]);
  });
});
