import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import { decodeJwt } from "jose";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import type { LocalAzure } from "../../../local/azure";
import { getVmEnvironment } from "../../../local/vm-process";
import {
  assignRole,
  createClients,
  createVmStack,
  FAST,
  getId,
  getVmBody,
  GROUP,
  LOCATION,
  READER,
  startForTest,
} from "./fixtures";
import type { Clients, VmStack } from "./fixtures";

// Microsoft's own client as a second opinion on the simulated metadata service: what it takes for an answer of IMDS, and
// what it makes of a refusal.

const PROGRAM = path.join(__dirname, "azure-identity-program.mts");

interface ProgramOutput {
  token: { value?: { token: string; expiresOnTimestamp: number }; error?: Failure };
  /** Absent when there was no token. */
  group?: { value?: { name: string; location: string }; error?: Failure };
}

interface Failure {
  name: string;
  message: string;
  code?: string;
}

let azure: LocalAzure;
let clients: Clients;
let stack: VmStack;

beforeEach(async () => {
  azure = await startForTest();
  clients = createClients(azure);
  stack = await createVmStack(azure, clients);
});

/** Runs the program on the VM, with options for the credential. */
async function runOnVm(options: object): Promise<ProgramOutput> {
  const folder = await mkdtemp(path.join(tmpdir(), "azure-identity-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const caFile = path.join(folder, "ca.pem");
  await writeFile(caFile, azure.caCertificate);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, JSON.stringify(options), azure.subscriptionId, GROUP],
    { env: getVmEnvironment(azure, stack.vmId, caFile) },
  );
  return JSON.parse(stdout) as ProgramOutput;
}

/** What the metadata service answered, and whom. */
function listImdsAnswers(): string[] {
  return azure.requests
    .filter(({ service }) => service === "imds")
    .map(({ method, path, status }) => `${method} ${path} ${status}`);
}

it.each<[string, () => object]>([
  ["its client id", () => ({ clientId: stack.clientId })],
  ["its resource id", () => ({ resourceId: stack.identityId })],
  ["its object id", () => ({ objectId: stack.principalId })],
  ["nothing, as the only one", () => ({})],
])("gets the token of an identity named by %s, and reads with it", async (_, getOptions) => {
  const scope = `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`;
  await assignRole(azure, clients, READER, stack.principalId, scope);
  const { token, group } = await runOnVm(getOptions());
  expect(token.error).toBeUndefined();
  const claims = decodeJwt(token.value?.token ?? "");
  expect(claims).toMatchObject({ appid: stack.clientId, oid: stack.principalId });
  expect(Math.abs((token.value?.expiresOnTimestamp ?? 0) / 1_000 - (claims.exp ?? 0))).toBeLessThan(
    2,
  );
  expect(group?.value).toMatchObject({ name: GROUP, location: LOCATION });
  // One request, for one token: what the client caches, it found complete.
  expect(listImdsAnswers()).toEqual(["GET /metadata/identity/oauth2/token/ 200"]);
});

it("understands that a principal without a role may not read", async () => {
  const { token, group } = await runOnVm({ clientId: stack.clientId });
  expect(token.error).toBeUndefined();
  expect(group?.error).toMatchObject({ name: "RestError", code: "AuthorizationFailed" });
});

it("understands that the identity isn't attached, and doesn't try again", async () => {
  const { token } = await runOnVm({ clientId: randomUUID() });
  expect(token.error?.name).toBe("CredentialUnavailableError");
  expect(token.error?.message).toContain("Identity not found");
  expect(listImdsAnswers()).toEqual(["GET /metadata/identity/oauth2/token/ 400"]);
});

it("understands that it has to name one of several identities", async () => {
  const second = await clients.identities.createOrUpdate(GROUP, "id-2", { location: LOCATION });
  const userAssignedIdentities = { [stack.identityId]: {}, [getId(second)]: {} };
  await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
    GROUP,
    "vm-test",
    { ...getVmBody(stack), identity: { type: "UserAssigned", userAssignedIdentities } },
    FAST,
  );
  const unnamed = await runOnVm({});
  expect(unnamed.token.error?.name).toBe("CredentialUnavailableError");
  expect(unnamed.token.error?.message).toContain("Multiple user assigned identities exist");
  const named = await runOnVm({ clientId: second.clientId });
  expect(decodeJwt(named.token.value?.token ?? "")["oid"]).toBe(second.principalId);
});
