import { isDeepStrictEqual } from "node:util";
import type { EngineEvent, OutputMap } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { readOutput } from "../../local/story";
import {
  type Deployment,
  change,
  createGroup,
  createIdentity,
  expectOrder,
  startDeployment,
} from "./deployment";

/** Names of the stack's outputs whose values differ. */
function listChangedOutputs(before: OutputMap, after: OutputMap): string[] {
  return Object.keys(after).filter(
    (name) => !isDeepStrictEqual(before[name]?.value, after[name]?.value),
  );
}

/** How many of the resources at Azure are of a type. */
function countResources({ session }: Deployment, type: string): number {
  return session.azure.listResourceIds().filter((id) => id.split("/").at(-2) === type).length;
}

describe("a changed setting", () => {
  test("tags change in place", async () => {
    const deployment = await startDeployment();
    const before = await change(deployment, {});
    const after = await change(deployment, { "tags.environment": "test" });
    // The stack itself, the subnet and the role assignment take no tags.
    expect(after.changes).toEqual({ update: 8, same: 3 });
    expect(listChangedOutputs(before.outputs, after.outputs)).toEqual([]);
    expect(
      await deployment.callArm(
        "GET",
        `${readOutput(after.outputs, "vmId")}?api-version=2024-11-01`,
      ),
    ).toMatchObject({
      tags: {
        environment: "test",
        "identity-client-id": readOutput(after.outputs, "identityClientId"),
      },
    });
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test.each([
    ["adminUsername", "operator"],
    ["imageSku", "2022-datacenter-azure-edition"],
    ["vmName", "other-vm"],
  ])("%s replaces the VM, and only the VM, the old one first", async (name, value) => {
    const deployment = await startDeployment();
    const before = await change(deployment, {});
    const after = await change(deployment, { [name]: value });
    expect(after.changes).toEqual({ replace: 1, same: 10 });
    expect(after.writes).toEqual([
      `DELETE virtualMachines/${readOutput(before.outputs, "vmName")}`,
      `PUT virtualMachines/${readOutput(after.outputs, "vmName")}`,
    ]);
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test("another password replaces the VM too", async () => {
    const deployment = await startDeployment();
    await change(deployment, {});
    await deployment.session.devStack.setSecret("adminPassword", "an-Other-long-passw0rd");
    const after = await change(deployment, {});
    expect(after.changes).toEqual({ replace: 1, same: 10 });
  });

  test("vmSize changes the VM in place", async () => {
    const deployment = await startDeployment();
    const before = await change(deployment, {});
    const after = await change(deployment, { vmSize: "Standard_D2s_v6" });
    expect(after.changes).toEqual({ update: 1, same: 10 });
    expect(after.writes).toEqual(["PUT virtualMachines/windows-vm"]);
    expect(listChangedOutputs(before.outputs, after.outputs)).toEqual([]);
    expect(
      await deployment.callArm(
        "GET",
        `${readOutput(after.outputs, "vmId")}?api-version=2024-11-01`,
      ),
    ).toMatchObject({ properties: { hardwareProfile: { vmSize: "Standard_D2s_v6" } } });
  });

  test("the VM and the role assignment can be replaced as they are", async () => {
    const deployment = await startDeployment();
    await change(deployment, {});
    const after = await deployment.up({
      replace: ["windows-vm", "reader-on-resource-group"].map((name) => `**::${name}`),
    });
    expect(after.summary.resourceChanges).toEqual({ replace: 2, same: 9 });
    expect(countResources(deployment, "roleAssignments")).toBe(1);
    await deployment.expectAccess(after.outputs);
  });

  test("location replaces everything", async () => {
    const deployment = await startDeployment();
    const before = await change(deployment, {});
    const after = await change(deployment, { location: "northeurope" });
    // All but the stack itself.
    expect(after.changes).toEqual({ replace: 10, same: 1 });
    expect(listChangedOutputs(before.outputs, after.outputs)).toContain("resourceGroupId");
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  // Where the stack doesn't delete the group, whatever it forgets stays.
  describe("in a resource group that isn't the stack's", () => {
    test("identityName: the new identity before the old one goes, the old role before the new one", async () => {
      const deployment = await startDeployment();
      const resourceGroupId = await createGroup(deployment);
      const before = await change(deployment, { resourceGroupId });
      const after = await change(deployment, { identityName: "other-identity" });
      // The identity and the role assignment; the VM.
      expect(after.changes).toEqual({ replace: 2, update: 1, same: 7 });
      expect(after.writes).toHaveLength(5);
      expectOrder(
        after.writes,
        "PUT userAssignedIdentities/other-identity",
        "DELETE roleAssignments/",
        "PUT roleAssignments/",
        "DELETE userAssignedIdentities/windows-vm-identity",
      );
      expectOrder(
        after.writes,
        "PUT userAssignedIdentities/other-identity",
        "PUT virtualMachines/windows-vm",
        "DELETE userAssignedIdentities/windows-vm-identity",
      );
      expect(listChangedOutputs(before.outputs, after.outputs)).toEqual([
        "identityClientId",
        "identityId",
        "identityName",
        "identityPrincipalId",
        "roleAssignmentId",
      ]);
      expect(countResources(deployment, "roleAssignments")).toBe(1);
      expect(countResources(deployment, "userAssignedIdentities")).toBe(1);
      await deployment.destroy();
      expect(deployment.session.azure.listResourceIds()).toEqual([resourceGroupId]);
    });

    test("location: the identity stays, with its role, and what the VM needs is replaced", async () => {
      const deployment = await startDeployment();
      const resourceGroupId = await createGroup(deployment);
      const before = await change(deployment, { resourceGroupId });
      const after = await change(deployment, { location: "northeurope" });
      expect(after.changes).toEqual({ replace: 7, same: 3 });
      expect(listChangedOutputs(before.outputs, after.outputs)).toEqual([]);
      expect(after.writes.join()).not.toMatch(/userAssignedIdentities|roleAssignments/);
      await deployment.destroy();
      expect(deployment.session.azure.listResourceIds()).toEqual([resourceGroupId]);
    });
  });

  test("identityId and resourceGroupId take the places of the stack's own, and survive it", async () => {
    const deployment = await startDeployment();
    await change(deployment, {});
    const existing = await createGroup(deployment, "rg-ids");
    const identityId = await createIdentity(deployment, existing);
    const resourceGroupId = await createGroup(deployment);

    const withIdentity = await change(deployment, { identityId });
    // The role assignment; the VM, and what the stack gives out; the identity.
    expect(withIdentity.changes).toMatchObject({ replace: 1, update: 1, delete: 1 });
    expect(readOutput(withIdentity.outputs, "identityId")).toBe(identityId);
    expectOrder(
      withIdentity.writes,
      "PUT virtualMachines/",
      "DELETE userAssignedIdentities/windows-vm-identity",
    );

    const withGroup = await change(deployment, { resourceGroupId });
    // All but the stack itself, and the group itself.
    expect(withGroup.changes).toEqual({ replace: 8, delete: 1, same: 1 });
    expect(readOutput(withGroup.outputs, "vmId").startsWith(`${resourceGroupId}/`)).toBe(true);
    expect(withGroup.writes.at(-1)).toMatch(/^DELETE resourcegroups\//i);
    expect(countResources(deployment, "roleAssignments")).toBe(1);

    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds().sort()).toEqual(
      [existing, identityId, resourceGroupId].sort(),
    );
  });
});

/** Refreshes the state, and returns what that found deleted or changed. */
async function refresh({ stack, session }: Deployment): Promise<string[]> {
  const found: string[] = [];
  const onEvent = ({ resOutputsEvent }: EngineEvent): void => {
    const { op = "same", urn = "" } = resOutputsEvent?.metadata ?? {};
    if (op === "update" || op === "delete") found.push(`${op} ${urn.split("::").at(-1) ?? ""}`);
  };
  await stack.refresh({ ...session.devStack.operationOptions, onEvent });
  // Made before its NAT gateway, it hears of that later.
  return found.filter((change) => change !== "update outbound-address");
}

describe("drift, seen by refresh and repaired by up", () => {
  test("a role assignment deleted by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await change(deployment, {});
    await deployment.callArm(
      "DELETE",
      `${readOutput(outputs, "roleAssignmentId")}?api-version=2022-04-01`,
    );
    expect((await deployment.verify(outputs, "--wait", "0")).text).toContain("AuthorizationFailed");

    expect(await refresh(deployment)).toEqual(["delete reader-on-resource-group"]);
    const repaired = await change(deployment, {});
    expect(repaired.changes).toEqual({ create: 1, same: 10 });
  });

  test("an identity detached from the VM by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await change(deployment, {});
    await deployment.callArm("PATCH", `${readOutput(outputs, "vmId")}?api-version=2024-11-01`, {
      identity: { type: "None" },
    });
    expect((await deployment.verify(outputs, "--wait", "0")).exitCode).not.toBe(0);

    expect(await refresh(deployment)).toEqual(["update windows-vm"]);
    const repaired = await change(deployment, {});
    expect(repaired.changes).toEqual({ update: 1, same: 10 });
  });

  test("a tag changed by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await deployment.up();
    const url = `${readOutput(outputs, "identityId")}?api-version=2023-01-31`;
    const { tags } = (await deployment.callArm("GET", url)) as { tags: object };
    await deployment.callArm("PATCH", url, { tags: { environment: "someone else's" } });

    expect(await refresh(deployment)).toEqual(["update identity"]);
    const repaired = await change(deployment, {});
    expect(repaired.changes).toEqual({ update: 1, same: 10 });
    expect(tags).toMatchObject({ environment: "dev" });
    expect(await deployment.callArm("GET", url)).toMatchObject({ tags });
  });

  test("a network security group opened by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await deployment.up();
    const group = readOutput(outputs, "resourceGroupId");
    const path = `${group}/providers/Microsoft.Network/networkSecurityGroups`;
    const { value } = (await deployment.callArm("GET", `${path}?api-version=2024-05-01`)) as {
      value: { id: string; properties: { securityRules: unknown[] } }[];
    };
    const [securityGroup] = value;
    const rules = securityGroup?.properties.securityRules ?? [];
    const url = `${securityGroup?.id ?? ""}?api-version=2024-05-01`;
    await deployment.callArm("PUT", url, {
      ...securityGroup,
      properties: {
        securityRules: [
          ...rules,
          {
            name: "open",
            properties: {
              priority: 200,
              direction: "Inbound",
              access: "Allow",
              protocol: "Tcp",
              sourceAddressPrefix: "*",
              sourcePortRange: "*",
              destinationAddressPrefix: "*",
              destinationPortRange: "3389",
            },
          },
        ],
      },
    });

    expect(await refresh(deployment)).toEqual(["update security-group"]);
    const repaired = await change(deployment, {});
    expect(repaired.changes).toEqual({ update: 1, same: 10 });
    const names = (await deployment.callArm("GET", url)) as {
      properties: { securityRules: { name: string }[] };
    };
    expect(names.properties.securityRules.map(({ name }) => name)).toEqual(["deny-all-inbound"]);
  });
});
