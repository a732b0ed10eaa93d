import { formatTable, formatTargets, formatThousands } from "../text-table";
import type { Figures, GrowthResult } from "./growth";
import type { LatencyResult } from "./latency";
import type { LoadingResult } from "./loading";
import type { StackResult } from "./result";

/** The result as text for a terminal or a log, a line each. */
export function formatResult(result: StackResult): string[] {
  const { latency, growth, loading, targets, operationMs, parallel, cores, loadAverage } = result;
  return [
    `The real engine and a provider that does nothing, on ${cores} cores; load average ${loadAverage.toFixed(1)} before.`,
    ...(loadAverage > cores / 2
      ? ["The machine was busy with something else: figures and ratios may be too high."]
      : []),
    `The engine's own default here is --parallel ${parallel}.`,
    "",
    `pulumi up, every operation taking ${operationMs} ms; bound: the least possible with that --parallel`,
    ...formatTable([LATENCY_HEADINGS, ...latency.map(toLatencyCells)]),
    "",
    `pulumi up, operations taking no time, --parallel ${parallel}; each figure: this stack, the bare loop, their ratio`,
    ...formatTable([GROWTH_HEADINGS, ...growth.map(toGrowthCells)]),
    "",
    "Beside a minimal program with the same imports of azure-native; ratios are those of the minima",
    ...formatTable([LOADING_HEADINGS, ...loading.map(toLoadingCells)]),
    "",
    "Targets of the stack",
    ...formatTargets(targets),
  ];
}

const LATENCY_HEADINGS = [
  "",
  "VMs",
  "resources",
  "--parallel",
  "critical path s",
  "bound s",
  "creation s",
  "x bound",
  "up s",
];

function toLatencyCells(result: LatencyResult): string[] {
  const seconds = [result.criticalPathMs, result.lowerBoundMs, result.creationMs].map(
    formatSeconds,
  );
  return [
    result.title,
    String(result.vmCount),
    String(result.resources),
    String(result.parallel),
    ...seconds,
    result.ratio.toFixed(3),
    formatSeconds(result.upMs),
  ];
}

const GROWTH_HEADINGS = [
  "VMs",
  ...["up s", "loop", "x"],
  ...["state KB", "loop", "x"],
  ...["engine MB", "loop", "x"],
  ...["program MB", "loop", "x"],
];

function toGrowthCells({ vmCount, stack, loop }: GrowthResult): string[] {
  const compare = (figure: keyof Figures, format: (value: number | null) => string) => {
    const [ours, theirs] = [stack[figure], loop[figure]];
    const ratio = ours === null || theirs === null ? "-" : (ours / theirs).toFixed(2);
    return [format(ours), format(theirs), ratio];
  };
  return [
    String(vmCount),
    ...compare("upMs", formatThousands),
    ...compare("stateBytes", formatThousands),
    ...compare("engineKilobytes", formatThousands),
    ...compare("programKilobytes", formatThousands),
  ];
}

const LOADING_HEADINGS = ["", "min ms", "median ms", "minimal min ms", "median ms", "x"];

function toLoadingCells(result: LoadingResult): string[] {
  const { stackMinMs, stackMedianMs, minimalMinMs, minimalMedianMs } = result;
  return [
    result.what,
    ...[stackMinMs, stackMedianMs, minimalMinMs, minimalMedianMs].map((ms) => ms.toFixed(0)),
    result.ratio.toFixed(3),
  ];
}

function formatSeconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(2);
}
