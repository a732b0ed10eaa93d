import { formatTable, formatTargets, formatThousands } from "../text-table";
import type { BenchmarkResult, PeerResult } from "./result";

const HEADINGS = [
  "",
  "min ms",
  "median ms",
  "x script",
  "x SDK",
  "peak MB",
  "KB",
  "KB gzip",
  "requests",
];

/** The result as text for a terminal or a log, a line each. */
export function formatResult({ rounds, peers, targets }: BenchmarkResult): string[] {
  return [
    `Whole processes on the VM of a local Azure, ${rounds} rounds; ratios are those of the minima.`,
    "",
    ...formatTable([HEADINGS, ...peers.map(toCells)]),
    "",
    "Targets of verify",
    ...formatTargets(targets),
  ];
}

function toCells(peer: PeerResult): string[] {
  return [
    peer.title,
    peer.minMs.toFixed(1),
    peer.medianMs.toFixed(1),
    peer.toScript.toFixed(2),
    peer.toSdk.toFixed(2),
    formatThousands(peer.peakKilobytes),
    formatThousands(peer.bytes),
    formatThousands(peer.gzippedBytes),
    String(peer.requests),
  ];
}
