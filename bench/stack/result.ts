import { atMost, type Target } from "../target";
import { FIGURES, getBend, getPoints, getSlopeRatio, type GrowthResult } from "./growth";
import { UNLIMITED_PARALLEL, type LatencyResult } from "./latency";
import type { LoadingResult } from "./loading";
import { STACK } from "./program-folder";

/** All that was measured. */
export interface StackMeasurements {
  readonly operationMs: number;
  /** What the engine ran at once where nothing else is said. */
  readonly parallel: number;
  /** Of the machine. */
  readonly cores: number;
  /** Other work on the machine: processes that ran or waited to run, on average over the minute before. */
  readonly loadAverage: number;
  readonly latency: readonly LatencyResult[];
  readonly growth: readonly GrowthResult[];
  readonly loading: readonly LoadingResult[];
}

/** All that the benchmark found out. */
export interface StackResult extends StackMeasurements {
  readonly targets: readonly Target[];
}

const MAX_RATIO_TO_CRITICAL_PATH = { oneVm: 1.15, more: 1.3 };
const MAX_RATIO_TO_MINIMAL = 1.2;

/** One run of the same program may differ that much from another. */
const MAX_GROWTH_RATIO = 1.2;

const FIGURE_TITLES: Record<(typeof FIGURES)[number], string> = {
  upMs: "time of pulumi up",
  stateBytes: "size of the state",
  engineKilobytes: "memory of the engine",
  programKilobytes: "memory of the program",
};

/** Holds what was measured against the targets. */
export function toResult(measurements: StackMeasurements): StackResult {
  const { latency, growth, loading } = measurements;
  return {
    ...measurements,
    targets: [...checkLatency(latency), ...checkGrowth(growth), ...checkLoading(loading)],
  };
}

function checkLatency(results: readonly LatencyResult[]): Target[] {
  return results
    .filter(({ title, parallel }) => title === STACK.title && parallel === UNLIMITED_PARALLEL)
    .map(({ vmCount, ratio }) => {
      const { oneVm, more } = MAX_RATIO_TO_CRITICAL_PATH;
      return atMost(
        `creation to the critical path, VMs: ${vmCount}`,
        ratio,
        vmCount === 1 ? oneVm : more,
      );
    });
}

/** Each figure's growth is to be linear, or that of the bare loop, which is the engine's doing: the one that it is nearer to counts. */
function checkGrowth(results: readonly GrowthResult[]): Target[] {
  return FIGURES.flatMap((figure) => {
    const ofStack = getPoints(results, "stack", figure);
    const bend = getBend(ofStack);
    const toLoop = getSlopeRatio(ofStack, getPoints(results, "loop", figure));
    if (bend === undefined || toLoop === undefined) return [];
    const [measured, standard] = bend < toLoop ? [bend, "linear"] : [toLoop, "the loop's"];
    const description = `growth of the ${FIGURE_TITLES[figure]}, to ${standard}`;
    return [atMost(description, measured, MAX_GROWTH_RATIO)];
  });
}

function checkLoading(results: readonly LoadingResult[]): Target[] {
  return results
    .filter(({ what }) => what === "load" || what === "type check")
    .map(({ what, ratio }) =>
      atMost(`${what} to the minimal program's`, ratio, MAX_RATIO_TO_MINIMAL),
    );
}
