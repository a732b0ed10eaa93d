import { getMedian } from "../statistics";
import { atMost, type Target } from "../target";
import type { Measurement } from "./measurement";
import type { PeerName } from "./peers";

/** What one peer's runs come to. */
export interface PeerResult {
  readonly name: PeerName;
  readonly title: string;
  /** The least disturbed run. */
  readonly minMs: number;
  readonly medianMs: number;
  /** Ratio of {@link minMs} to that of the dependency-free script. */
  readonly toScript: number;
  /** Ratio of {@link minMs} to that of the bundled Azure SDK. */
  readonly toSdk: number;
  /** Median of the peak resident memory; null where it isn't measured. */
  readonly peakKilobytes: number | null;
  /** Of the program's one file; null where it needs more than that. */
  readonly bytes: number | null;
  readonly gzippedBytes: number | null;
  /** How many requests each run made. */
  readonly requests: number;
}

/** All that the benchmark found out. */
export interface BenchmarkResult {
  readonly rounds: number;
  readonly peers: readonly PeerResult[];
  readonly targets: readonly Target[];
}

const MAX_RATIO_TO_SCRIPT = 1.35;
const MAX_RATIO_TO_SDK = 0.6;
const MAX_BYTES = 120_000;
const MAX_GZIPPED_BYTES = 45_000;

/** Compares what was measured, and holds verify against its targets. */
export function toResult(rounds: number, measurements: readonly Measurement[]): BenchmarkResult {
  const scriptMs = getMinMs(measurements, "dependency-free");
  const sdkMs = getMinMs(measurements, "azure-sdk");
  const peers = measurements.map(({ peer, durationsMs, peakKilobytes }): PeerResult => {
    const minMs = Math.min(...durationsMs);
    return {
      name: peer.name,
      title: peer.title,
      minMs,
      medianMs: getMedian(durationsMs),
      toScript: minMs / scriptMs,
      toSdk: minMs / sdkMs,
      peakKilobytes: peakKilobytes.length === 0 ? null : getMedian(peakKilobytes),
      bytes: peer.sizes?.bytes ?? null,
      gzippedBytes: peer.sizes?.gzippedBytes ?? null,
      requests: peer.requestCount,
    };
  });
  return { rounds, peers, targets: checkTargets(find(peers, "verify"), find(peers, "azure-sdk")) };
}

function checkTargets(verify: PeerResult, sdk: PeerResult): Target[] {
  return [
    atMost("time to the dependency-free script's", verify.toScript, MAX_RATIO_TO_SCRIPT),
    atMost("time to the bundled Azure SDK's", verify.toSdk, MAX_RATIO_TO_SDK),
    atMost(
      "peak memory in KB, to the bundled Azure SDK's",
      verify.peakKilobytes,
      sdk.peakKilobytes,
    ),
    atMost("bundle in bytes", verify.bytes, MAX_BYTES),
    atMost("bundle in bytes, gzipped", verify.gzippedBytes, MAX_GZIPPED_BYTES),
  ];
}

function getMinMs(measurements: readonly Measurement[], name: PeerName): number {
  const measurement = measurements.find(({ peer }) => peer.name === name);
  if (measurement === undefined) throw new Error(`${name} was not measured.`);
  return Math.min(...measurement.durationsMs);
}

function find(peers: readonly PeerResult[], name: PeerName): PeerResult {
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer === undefined) throw new Error(`${name} was not measured.`);
  return peer;
}
