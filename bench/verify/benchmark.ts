import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { startLocalAzure } from "../../local/azure";
import type { BenchmarkSurroundings } from "../benchmark";
import { bundleForNode } from "../node-bundle";
import { measurePeers } from "./measurement";
import { buildPeer, GO_PEER, PEERS, type BuiltPeer } from "./peers";
import { toResult, type BenchmarkResult } from "./result";
import { createBenchVm } from "./virtual-machine";

/** What {@link benchmarkVerify} needs. */
export interface BenchmarkOptions extends BenchmarkSurroundings {
  /** How often each peer is timed. */
  readonly rounds: number;
  /** Whether to measure the Go SDK too. */
  readonly withGo: boolean;
}

const MEMORY_HOOK = path.join(__dirname, "..", "peak-memory-hook.ts");

/**
 * Measures verify beside what a user would pick instead, on a VM of a local Azure.
 *
 * @throws {PeerError} when a peer fails, or doesn't make its requests
 */
export async function benchmarkVerify(options: BenchmarkOptions): Promise<BenchmarkResult> {
  const { rounds, withGo, env, log, signal } = options;
  const folder = await mkdtemp(path.join(tmpdir(), "bench-verify-"));
  try {
    const peers: BuiltPeer[] = [];
    for (const peer of withGo ? [...PEERS, GO_PEER] : PEERS) {
      log(`building: ${peer.title}`);
      peers.push(await buildPeer(peer, { folder, env, signal }));
    }
    const memoryHook = await bundleForNode(MEMORY_HOOK, path.join(folder, "peak-memory-hook.js"));
    const azure = await startLocalAzure();
    try {
      const vm = await createBenchVm(azure);
      const caFile = path.join(folder, "ca.pem");
      await writeFile(caFile, azure.caCertificate);
      const place = { azure, vm, caFile, folder };
      const measurements = await measurePeers({ ...place, peers, memoryHook, rounds, log, signal });
      return toResult(rounds, measurements);
    } finally {
      await azure.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
