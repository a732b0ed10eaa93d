import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { LocalAzure } from "../../local/azure";
import { getVmEnvironment } from "../../local/vm-process";
import { runProcess, type ProcessRun } from "../process-run";
import type { BuiltPeer } from "./peers";
import type { BenchVm } from "./virtual-machine";

/** What the runs of one peer gave. */
export interface Measurement {
  readonly peer: BuiltPeer;
  readonly durationsMs: readonly number[];
  /** Empty for a peer that doesn't run in Node: nothing can be preloaded there. */
  readonly peakKilobytes: readonly number[];
}

/** A peer did not do the work that all have to do. */
export class PeerError extends Error {
  override readonly name = "PeerError";
}

/** What {@link measurePeers} needs. */
export interface MeasurementOptions {
  readonly azure: LocalAzure;
  readonly vm: BenchVm;
  readonly peers: readonly BuiltPeer[];
  /** The built `peak-memory-hook.ts`. */
  readonly memoryHook: string;
  /** For files of its own. */
  readonly folder: string;
  /** The file with the trust anchor of the local Resource Manager, PEM. */
  readonly caFile: string;
  /** How often each peer is timed. */
  readonly rounds: number;
  /** Takes each line of progress. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Memory varies little from run to run. */
const MEMORY_ROUNDS = 3;

/**
 * Runs the peers on the VM, one process at a time, in rounds: what slows the machine down for a while slows down all.
 * Memory is measured in further rounds, since what is preloaded for that takes time.
 *
 * @throws {PeerError} when a peer fails, or doesn't make its requests
 */
export async function measurePeers(options: MeasurementOptions): Promise<Measurement[]> {
  const measurements = options.peers.map((peer) => ({
    peer,
    durationsMs: [] as number[],
    peakKilobytes: [] as number[],
  }));
  options.log("warm-up");
  for (const { peer } of measurements) await runPeer(peer, options);
  for (let round = 1; round <= options.rounds; round++) {
    options.log(`round ${round} of ${options.rounds}`);
    for (const { peer, durationsMs } of measurements) {
      durationsMs.push((await runPeer(peer, options)).durationMs);
    }
  }
  options.log("memory");
  for (let round = 1; round <= MEMORY_ROUNDS; round++) {
    for (const { peer, peakKilobytes } of measurements) {
      if (peer.isForNode) peakKilobytes.push(await measurePeak(peer, options));
    }
  }
  return measurements;
}

async function measurePeak(peer: BuiltPeer, options: MeasurementOptions): Promise<number> {
  const memoryFile = path.join(options.folder, "peak-memory");
  await runPeer(peer, options, ["--require", options.memoryHook], { PEAK_MEMORY_FILE: memoryFile });
  return Number(await readFile(memoryFile, "utf8"));
}

/** Runs a peer once, and makes sure that it did its work. */
async function runPeer(
  peer: BuiltPeer,
  options: MeasurementOptions,
  nodeArguments: readonly string[] = [],
  moreEnv: Readonly<Record<string, string>> = {},
): Promise<ProcessRun> {
  const { azure, vm, caFile, signal } = options;
  const env = {
    ...getVmEnvironment(azure, vm.id, caFile),
    AZURE_CLIENT_ID: vm.clientId,
    AZURE_SUBSCRIPTION_ID: azure.subscriptionId,
    AZURE_RESOURCE_GROUP: vm.resourceGroup,
    ...moreEnv,
  };
  const requestsBefore = azure.requests.length;
  const run = peer.isForNode
    ? await runProcess(process.execPath, [...nodeArguments, peer.file], { env, signal })
    : await runProcess(peer.file, [], { env, signal });
  if (run.exitCode !== 0) {
    throw new PeerError(`${peer.title} ended with ${run.exitCode ?? "a signal"}.\n${run.errors}`);
  }
  checkRequests(peer, options, requestsBefore);
  return run;
}

/** No peer may be fast by leaving work out. */
function checkRequests(
  peer: BuiltPeer,
  { azure, vm }: MeasurementOptions,
  requestsBefore: number,
): void {
  const group = `/subscriptions/${azure.subscriptionId}/resourcegroups/${vm.resourceGroup}`;
  const expected = [
    "imds /metadata/identity/oauth2/token 200",
    `arm ${group} 200`,
    `arm ${group}/providers/microsoft.authorization/permissions 200`,
  ].slice(0, peer.requestCount);
  // Azure's paths are case-insensitive, and the SDK's token request ends in a slash.
  const made = azure.requests
    .slice(requestsBefore)
    .map((request) => `${request.service} ${request.path.replace(/\/$/, "")} ${request.status}`)
    .map((request) => request.toLowerCase());
  if (made.join("\n") === expected.join("\n").toLowerCase()) return;
  throw new PeerError(
    `${peer.title} was to make these requests:\n${listLines(expected)}\nIt made these:\n${listLines(made)}`,
  );
}

function listLines(lines: readonly string[]): string {
  return lines.length === 0 ? "  none" : lines.map((line) => `  ${line}`).join("\n");
}
