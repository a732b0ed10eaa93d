import { readFile, readdir } from "node:fs/promises";
import * as path from "node:path";
import { describe, expect, test } from "vitest";
import { REPOSITORY } from "../../local/program";
import { readOutput } from "../../local/story";
import { listWrites, startDeployment } from "./deployment";

const PASSWORD = "a-Very-long-passw0rd-of-this-test";

function readSettingsFiles(): Promise<string[]> {
  return Promise.all(
    ["Pulumi.yaml", "Pulumi.dev.yaml"].map((name) => readFile(path.join(REPOSITORY, name), "utf8")),
  );
}

test("up, verify, up again, destroy", async () => {
  const settingsFiles = await readSettingsFiles();
  const { session, up, verify, expectAccess, destroy } = await startDeployment();

  const created = await up();
  expect(created.summary.resourceChanges).toEqual({ create: 11 });
  const { exitCode, text } = await verify(created.outputs, "--wait", "0");
  expect(text).toContain(readOutput(created.outputs, "resourceGroupId"));
  expect(text).toContain(readOutput(created.outputs, "identityPrincipalId"));
  expect(exitCode).toBe(0);

  // On the VM, verify finds out by itself what it needs; Reader, and nothing more, has no warnings.
  expect(readOutput(created.outputs, "verifyCommand")).toBe("node verify.js");
  await expectAccess(created.outputs);

  const requestsBefore = session.azure.requests.length;
  expect((await up()).summary.resourceChanges).toEqual({ same: 11 });
  expect(listWrites(session, requestsBefore)).toEqual([]);

  await destroy();
  expect(session.azure.listResourceIds()).toEqual([]);
  expect(await readSettingsFiles()).toEqual(settingsFiles);
});

test("the identity can read the resource group, and nothing wider", async () => {
  const { up, callArm } = await startDeployment();
  const { outputs } = await up();
  const subscription = readOutput(outputs, "resourceGroupId").split("/resourceGroups/")[0] ?? "";
  const assignments = (await callArm(
    "GET",
    `${subscription}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=${encodeURIComponent(
      `principalId eq '${readOutput(outputs, "identityPrincipalId")}'`,
    )}`,
  )) as { value: { properties: { scope: string; roleDefinitionId: string } }[] };
  expect(assignments.value.map(({ properties }) => properties)).toEqual([
    expect.objectContaining({
      scope: readOutput(outputs, "resourceGroupId"),
      roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7`,
    }),
  ]);
});

test("verify waits for a role that is still on its way", async () => {
  const { up, verify } = await startDeployment({ rolePropagationMs: 4000 });
  const { outputs } = await up();
  const impatient = await verify(outputs, "--wait", "0");
  expect(impatient.text).toContain("AuthorizationFailed");
  expect(impatient.exitCode).not.toBe(0);
  expect((await verify(outputs, "--wait", "30")).exitCode).toBe(0);
});

test("the password is in no file in plain text, and in nothing that's printed", async () => {
  const { session, up, getPulumiOutput } = await startDeployment();
  await session.devStack.setSecret("adminPassword", PASSWORD);
  const { outputs } = await up();

  const files = (await readdir(session.folder, { recursive: true, withFileTypes: true })).filter(
    (entry) => entry.isFile(),
  );
  const contents = await Promise.all(
    files.map((entry) => readFile(path.join(entry.parentPath, entry.name), "utf8")),
  );
  // The state is among the files, with the password's place in it.
  expect(contents.filter((content) => content.includes('"adminPassword"'))).not.toEqual([]);
  expect(contents.filter((content) => content.includes(PASSWORD))).toEqual([]);
  expect(JSON.stringify(outputs)).not.toContain(PASSWORD);
  expect(getPulumiOutput()).not.toContain(PASSWORD);
});

describe("wrong settings are refused before anything is created", () => {
  test("a password and other settings, all at once", async () => {
    const { session, up, getPulumiOutput } = await startDeployment();
    await session.devStack.setSecret("adminPassword", "only-lower-case-letters");
    await session.devStack.setConfig("vmName", "my_vm");
    await expect(up()).rejects.toThrow();
    expect(listWrites(session)).toEqual([]);
    const output = getPulumiOutput();
    expect(output).toContain("adminPassword lacks an upper-case letter and a digit");
    expect(output).toContain("pulumi config set --secret adminPassword");
    expect(output).toContain("pulumi config set vmName <value>");
    expect(output).not.toContain("only-lower-case-letters");
    expect(output).not.toMatch(/^\s+at /m);
  });
});
