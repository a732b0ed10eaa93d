import { isDeepStrictEqual } from "node:util";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { describe, expect, test } from "vitest";
import { readOutput } from "../../local/story";
import { listWrites, startDeployment } from "./deployment";

/** Names of the stack's outputs whose values differ. */
function listChangedOutputs(before: OutputMap, after: OutputMap): string[] {
  return Object.keys(after).filter(
    (name) => !isDeepStrictEqual(before[name]?.value, after[name]?.value),
  );
}

describe("a changed setting", () => {
  test("tags change in place", async () => {
    const deployment = await startDeployment();
    const before = await deployment.up();
    await deployment.session.devStack.setConfig("tags.environment", "test");
    const after = await deployment.up();
    // The stack itself, the subnet and the role assignment take no tags.
    expect(after.summary.resourceChanges).toEqual({ update: 8, same: 3 });
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
    await deployment.expectAccess(after.outputs);
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test.each([
    ["adminUsername", "operator"],
    ["imageSku", "2022-datacenter-azure-edition"],
    ["vmName", "other-vm"],
  ])("%s replaces the VM, and only the VM, the old one first", async (name, value) => {
    const deployment = await startDeployment();
    const before = await deployment.up();
    await deployment.session.devStack.setConfig(name, value);
    const requestsBefore = deployment.session.azure.requests.length;
    const after = await deployment.up();
    expect(after.summary.resourceChanges).toEqual({ replace: 1, same: 10 });
    expect(listWrites(deployment.session, requestsBefore)).toEqual([
      `DELETE virtualMachines/${readOutput(before.outputs, "vmName")}`,
      `PUT virtualMachines/${readOutput(after.outputs, "vmName")}`,
    ]);
    await deployment.expectAccess(after.outputs);
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test("another password replaces the VM too", async () => {
    const deployment = await startDeployment();
    await deployment.up();
    await deployment.session.devStack.setSecret("adminPassword", "an-Other-long-passw0rd");
    const after = await deployment.up();
    expect(after.summary.resourceChanges).toEqual({ replace: 1, same: 10 });
    await deployment.expectAccess(after.outputs);
  });

  test("the VM and the role assignment can be replaced as they are", async () => {
    const deployment = await startDeployment();
    await deployment.up();
    const after = await deployment.up({
      replace: ["windows-vm", "reader-on-resource-group"].map((name) => `**::${name}`),
    });
    expect(after.summary.resourceChanges).toEqual({ replace: 2, same: 9 });
    await deployment.expectAccess(after.outputs);
  });

  test("identityName replaces the identity, and access works at the end of the same up", async () => {
    const deployment = await startDeployment();
    const before = await deployment.up();
    await deployment.session.devStack.setConfig("identityName", "other-identity");
    const after = await deployment.up();
    expect(listChangedOutputs(before.outputs, after.outputs)).toContain("identityClientId");
    await deployment.expectAccess(after.outputs);
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });

  test("location replaces everything", async () => {
    const deployment = await startDeployment();
    const before = await deployment.up();
    await deployment.session.devStack.setConfig("location", "northeurope");
    const after = await deployment.up();
    expect(listChangedOutputs(before.outputs, after.outputs)).toContain("resourceGroupId");
    await deployment.expectAccess(after.outputs);
    await deployment.destroy();
    expect(deployment.session.azure.listResourceIds()).toEqual([]);
  });
});

describe("drift, seen by refresh and repaired by up", () => {
  test("a role assignment deleted by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await deployment.up();
    await deployment.callArm(
      "DELETE",
      `${readOutput(outputs, "roleAssignmentId")}?api-version=2022-04-01`,
    );
    expect((await deployment.verify(outputs, "--wait", "0")).text).toContain("AuthorizationFailed");

    await deployment.refresh();
    const repaired = await deployment.up();
    expect(repaired.summary.resourceChanges).toEqual({ create: 1, same: 10 });
    await deployment.expectAccess(repaired.outputs);
  });

  test("an identity detached from the VM by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await deployment.up();
    await deployment.callArm("PATCH", `${readOutput(outputs, "vmId")}?api-version=2024-11-01`, {
      identity: { type: "None" },
    });
    expect((await deployment.verify(outputs, "--wait", "0")).exitCode).not.toBe(0);

    await deployment.refresh();
    const repaired = await deployment.up();
    expect(repaired.summary.resourceChanges).toEqual({ update: 1, same: 10 });
    await deployment.expectAccess(repaired.outputs);
  });

  test("a tag changed by hand", async () => {
    const deployment = await startDeployment();
    const { outputs } = await deployment.up();
    await deployment.callArm(
      "PATCH",
      `${readOutput(outputs, "identityId")}?api-version=2023-01-31`,
      {
        tags: { environment: "someone else's" },
      },
    );
    await deployment.refresh();
    const repaired = await deployment.up();
    expect(repaired.summary.resourceChanges).toEqual({ update: 1, same: 10 });
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

    await deployment.refresh();
    const repaired = await deployment.up();
    expect(repaired.summary.resourceChanges).toEqual({ update: 1, same: 10 });
    const names = (await deployment.callArm("GET", url)) as {
      properties: { securityRules: { name: string }[] };
    };
    expect(names.properties.securityRules.map(({ name }) => name)).toEqual(["deny-all-inbound"]);
  });
});
