import { Agent } from "node:https";
import type { OutputMap, Stack, UpResult } from "@pulumi/pulumi/automation";
import axios from "axios";
import { expect, onTestFinished } from "vitest";
import type { LocalAzureSettings } from "../../local/azure";
import { type Session, startSession } from "../../local/session";
import { readOutput } from "../../local/story";
import { getVmEnvironment, runVerify } from "../../local/vm-process";

/** The local Azure with the dev stack on it, for one test. */
export interface Deployment {
  readonly session: Session;
  readonly stack: Stack;
  /** All that the Pulumi CLI printed so far. */
  readonly getPulumiOutput: () => string;
  readonly up: (options?: { replace: string[] }) => Promise<UpResult>;
  readonly destroy: () => ReturnType<Stack["destroy"]>;
  /** Runs the stack's verifyCommand on its VM; more arguments may follow. */
  readonly verify: (outputs: OutputMap, ...args: string[]) => Promise<VerifyRun>;
  /** Runs verify on each VM of the stack, without waiting, and asserts that all is well there. */
  readonly expectAccess: (outputs: OutputMap) => Promise<void>;
  /** Calls Resource Manager behind Pulumi's back, as the deployer. */
  readonly callArm: (method: string, pathAndQuery: string, body?: unknown) => Promise<unknown>;
}

/** How a run of verify ended. */
export interface VerifyRun {
  readonly exitCode: number;
  /** What it printed, standard output and standard error together. */
  readonly text: string;
}

/** Starts what {@link Deployment} holds; all of it ends with the test. */
export async function startDeployment(azure: LocalAzureSettings = {}): Promise<Deployment> {
  const session = await startSession({ env: process.env, log: console.log, azure });
  onTestFinished(() => session.close());
  const { stack, operationOptions } = session.devStack;
  const output: string[] = [];
  const options = {
    ...operationOptions,
    color: "never" as const,
    onOutput: (text: string) => output.push(text),
    onError: (text: string) => output.push(text),
  };
  async function runOn(vmId: string, outputs: OutputMap, args: string[]): Promise<VerifyRun> {
    const lines: string[] = [];
    const exitCode = await runVerify({
      command: [readOutput(outputs, "verifyCommand"), ...args].join(" "),
      env: getVmEnvironment(session.azure, vmId, session.caFile),
      log: (line) => lines.push(line),
    });
    return { exitCode, text: lines.join("\n") };
  }
  return {
    session,
    stack,
    getPulumiOutput: () => output.join(""),
    up: (more) => stack.up({ ...options, ...more }),
    destroy: () => stack.destroy(options),
    verify: (outputs, ...args) => runOn(readOutput(outputs, "vmId"), outputs, args),
    expectAccess: async (outputs) => {
      const vmIds = Object.values(outputs.vmIds?.value as Record<string, string>);
      expect(vmIds).not.toEqual([]);
      for (const vmId of vmIds) {
        const run = await runOn(vmId, outputs, ["--strict", "--quiet", "--wait", "0"]);
        expect(run).toEqual({ exitCode: 0, text: "" });
      }
    },
    callArm: async (method, pathAndQuery, body) => {
      const { token } = await session.azure.getDeployerToken();
      const { data } = await axios.request<unknown>({
        method,
        url: session.azure.armEndpoint + pathAndQuery,
        data: body,
        headers: { Authorization: `Bearer ${token}` },
        httpsAgent: new Agent({ ca: session.azure.caCertificate }),
        proxy: false,
      });
      return data;
    },
  };
}

/** The requests that were to change something in Azure, in order, from the `since`-th on: method, type and name. */
export function listWrites({ azure }: Session, since = 0): string[] {
  return azure.requests
    .slice(since)
    .filter(({ service, method }) => service === "arm" && method !== "GET" && method !== "HEAD")
    .map(({ method, path }) => `${method} ${path.split("/").slice(-2).join("/")}`);
}

/** Asserts that there are writes that begin with each of `starts`, and all that begin with one before those that begin with the next. */
export function expectOrder(writes: readonly string[], ...starts: readonly string[]): void {
  const inOrder = starts.map((start) => writes.filter((write) => write.startsWith(start)));
  for (const found of inOrder) expect(found).not.toEqual([]);
  const meant = inOrder.flat();
  expect(writes.filter((write) => meant.includes(write))).toEqual(meant);
}

/** Changes settings, deploys, verifies on each VM, and returns what that did to which resources, and in which order at Azure. */
export async function change(
  { session, up, expectAccess }: Deployment,
  settings: Readonly<Record<string, string | undefined>>,
  options?: Parameters<Deployment["up"]>[0],
) {
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) await session.devStack.removeConfig(name);
    else await session.devStack.setConfig(name, value);
  }
  const requestsBefore = session.azure.requests.length;
  const { summary, outputs } = await up(options);
  const writes = listWrites(session, requestsBefore);
  await expectAccess(outputs);
  return { changes: summary.resourceChanges, writes, outputs };
}

/** Makes a resource group that isn't the stack's, and returns its id. */
export async function createGroup(
  { session, callArm }: Deployment,
  name = "rg-own",
): Promise<string> {
  const id = `/subscriptions/${session.azure.subscriptionId}/resourceGroups/${name}`;
  await callArm("PUT", `${id}?api-version=2024-03-01`, { location: "westeurope" });
  return id;
}

/** Makes a user-assigned identity that isn't the stack's, and returns its id. */
export async function createIdentity({ callArm }: Deployment, groupId: string): Promise<string> {
  const id = `${groupId}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/own`;
  await callArm("PUT", `${id}?api-version=2023-01-31`, { location: "westeurope" });
  return id;
}
