import { getDepths, getLowerBoundMs } from "./critical-path";
import { deploy, type Deployment, type Surroundings } from "./deployment";
import type { ProgramFolder } from "./program-folder";

/** One `pulumi up` whose operations all take equally long. */
export interface LatencyResult {
  readonly title: string;
  readonly vmCount: number;
  readonly resources: number;
  /** How many operations the engine ran at once at most. */
  readonly parallel: number;
  /** The longest chain of dependencies; no program and no engine can be faster. */
  readonly criticalPathMs: number;
  /** The same for this {@link parallel}. */
  readonly lowerBoundMs: number;
  /** From the beginning of the first creation to the end of the last one. */
  readonly creationMs: number;
  /** {@link creationMs} to {@link lowerBoundMs}. */
  readonly ratio: number;
  readonly upMs: number;
}

/** What {@link measureLatency} takes. */
export interface LatencyOptions {
  readonly stack: ProgramFolder;
  readonly loop: ProgramFolder;
  readonly vmCounts: readonly number[];
  readonly operationMs: number;
  /** What the engine runs at once if nobody says otherwise. */
  readonly defaultParallel: number;
  readonly log: (line: string) => void;
}

/** More than there are resources in any of these stacks, so that nothing but the graph holds an operation up. */
export const UNLIMITED_PARALLEL = 1_000;

/**
 * Deploys with operations of fixed length: the stack for each number of VMs with nothing in its way but its graph, and for
 * the largest number the bare loop too, which shows what is the engine's and the SDK's, and the stack as `pulumi up` runs
 * it by default.
 */
export async function measureLatency(
  { stack, loop, vmCounts, operationMs, defaultParallel, log }: LatencyOptions,
  surroundings: Surroundings,
): Promise<LatencyResult[]> {
  if (vmCounts.length === 0) return [];
  const most = Math.max(...vmCounts);
  const runs = [
    ...vmCounts.map((vmCount) => ({ program: stack, vmCount, parallel: UNLIMITED_PARALLEL })),
    { program: loop, vmCount: most, parallel: UNLIMITED_PARALLEL },
    { program: stack, vmCount: most, parallel: defaultParallel },
  ];
  const results: LatencyResult[] = [];
  for (const run of runs) {
    const { program, vmCount, parallel } = run;
    log(`${operationMs} ms an operation: ${program.title}, ${vmCount} VMs, parallel ${parallel}`);
    const deployment = await deploy({ ...run, operationMs }, surroundings);
    results.push(toLatencyResult({ ...run, operationMs, title: program.title }, deployment));
  }
  return results;
}

/** Sets a deployment against the least time that it could take. */
export function toLatencyResult(
  run: { title: string; vmCount: number; parallel: number; operationMs: number },
  { resources, creationMs, upMs }: Pick<Deployment, "resources" | "creationMs" | "upMs">,
): LatencyResult {
  const { title, vmCount, parallel, operationMs } = run;
  const depths = getDepths(resources);
  const lowerBoundMs = getLowerBoundMs(depths, operationMs, parallel);
  return {
    ...{ title, vmCount, parallel, creationMs, upMs, lowerBoundMs },
    resources: depths.length,
    criticalPathMs: getLowerBoundMs(depths, operationMs, depths.length),
    ratio: creationMs / lowerBoundMs,
  };
}
