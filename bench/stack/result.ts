import { atMost, type Target } from "../target";
import { FIGURES, getBend, getPoints, type GrowthResult } from "./growth";
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

/** What two runs of the same program may differ by. */
const GROWTH_TOLERANCE = 1.15;

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

/** No worse than linear, or no worse than the bare loop, whose growth is the engine's doing. */
function checkGrowth(results: readonly GrowthResult[]): Target[] {
  return FIGURES.flatMap((figure) => {
    const ofStack = getBend(getPoints(results, "stack", figure));
    const ofLoop = getBend(getPoints(results, "loop", figure));
    if (ofStack === undefined || ofLoop === undefined) return [];
    const cause = ofLoop > 1 ? "the loop's" : "linear";
    const description = `growth of the ${FIGURE_TITLES[figure]}, to be ${cause}`;
    return [atMost(description, ofStack, Math.max(1, ofLoop) * GROWTH_TOLERANCE)];
  });
}

function checkLoading(results: readonly LoadingResult[]): Target[] {
  return results
    .filter(({ what }) => what !== "index.ts alone")
    .map(({ what, ratio }) =>
      atMost(`${what} to the minimal program's`, ratio, MAX_RATIO_TO_MINIMAL),
    );
}
