import type { BenchmarkResult, PeerResult, Target } from "./result";

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
    ...formatTable(targets.map(toTargetCells)),
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

function formatThousands(value: number | null): string {
  return value === null ? "-" : (value / 1_000).toFixed(1);
}

function toTargetCells({ description, measured, limit, isMet }: Target): string[] {
  return [
    `  ${description}`,
    formatNumber(measured),
    `at most ${formatNumber(limit)}`,
    isMet ? "met" : "MISSED",
  ];
}

/** With three digits after the point: what just misses its target must not look as if it met it. */
function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

/** Aligns the first column left, the others right. */
function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
