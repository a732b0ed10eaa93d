import { describe, expect, test } from "vitest";
import { readOutput } from "../../local/story";
import {
  type Deployment,
  change,
  createGroup,
  createIdentity,
  listWrites,
  startDeployment,
} from "./deployment";

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
  const closed = await change(deployment, { allowRdpFrom: undefined });
  expect(closed.changes).toEqual({ create: 2, update: 4, delete: 2, same: 7 });
  expect(closed.outputs.publicAddresses?.value).toEqual({});

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
  /** How often verify was told to run, by VM. */
  const countRuns = ({ session }: Deployment, since = 0) =>
    listWrites(session, since).filter((write) => write === "PUT runCommands/verify").length;

  test("is given by each VM, and again once something about it changes, and not otherwise", async () => {
    const deployment = await startDeployment();
    const { session } = deployment;
    const { outputs } = await change(deployment, { vmCount: "2", verifyOnDeploy: "true" });
    expect(outputs.verifyResults?.value).toEqual({
      "windows-vm": { state: "Succeeded", exitCode: 0, output: expect.any(String) as string },
      "windows-vm-2": { state: "Succeeded", exitCode: 0, output: expect.any(String) as string },
    });
    expect(JSON.stringify(outputs.verifyResults?.value)).toContain("[ ok ] The identity is Reader");
    expect(countRuns(deployment)).toBe(2);

    const start = session.azure.requests.length;
    expect((await change(deployment, {})).writes).toEqual([]);
    const renamed = await change(deployment, { identityName: "other-identity" });
    expect(countRuns(deployment, start)).toBe(2);
    expect(JSON.stringify(renamed.outputs.verifyResults?.value)).toContain(
      readOutput(renamed.outputs, "identityClientId"),
    );
    const third = session.azure.requests.length;
    await change(deployment, { vmCount: "3" });
    expect(countRuns(deployment, third)).toBe(1);

    await deployment.destroy();
    expect(session.azure.listResourceIds()).toEqual([]);
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
