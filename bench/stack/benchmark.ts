import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import * as path from "node:path";
import { getPulumiCommand, PULUMI_VERSION } from "../../local/pulumi-cli";
import type { BenchmarkSurroundings } from "../benchmark";
import { bundleForNode } from "../node-bundle";
import { listTypes, type StateResource } from "./critical-path";
import { deploy, type Surroundings } from "./deployment";
import { measureGrowth } from "./growth";
import { measureLatency } from "./latency";
import { measureLoading } from "./loading";
import { copyProgram, LOOP, MINIMAL, STACK } from "./program-folder";
import { toResult, type StackResult } from "./result";

/** What {@link benchmarkStack} needs. */
export interface StackBenchmarkOptions extends BenchmarkSurroundings {
  /** Numbers of VMs, growing. */
  readonly vmCounts: readonly number[];
  /** How often the program is loaded and type-checked. */
  readonly rounds: number;
  /** How long each operation takes where the critical path is what's measured. */
  readonly operationMs: number;
}

/** From this many VMs on, an `up` with latency tells nothing new, and takes long. */
const MAX_VM_COUNT_WITH_LATENCY = 50;

/** The engine's default for `--parallel`, for each core. */
const PARALLEL_PER_CORE = 4;

const PROGRAM_HOOK = path.join(__dirname, "program-hook.ts");

/**
 * Measures this repository's program as `pulumi up` runs it: against the critical path of its own graph, against a bare
 * loop as the number of VMs grows, and against a minimal program as it is loaded and type-checked.
 *
 * @throws {PulumiCliError} when there is no Pulumi CLI and none can be got
 * @throws {CommandError} when a program fails
 * @throws {UnequalProgramsError} when the bare loop doesn't declare what this repository's program does
 */
export async function benchmarkStack(options: StackBenchmarkOptions): Promise<StackResult> {
  const { vmCounts, rounds, operationMs, env, log, signal } = options;
  const [loadAverage = NaN] = loadavg();
  const cores = availableParallelism();
  const parallel = PARALLEL_PER_CORE * cores;
  const { command: pulumi } = await getPulumiCommand({ version: PULUMI_VERSION, env, log, signal });
  const folder = await mkdtemp(path.join(tmpdir(), "bench-stack-"));
  try {
    const programHook = await bundleForNode(PROGRAM_HOOK, path.join(folder, "program-hook.js"));
    const surroundings: Surroundings = { folder, pulumi, programHook, env, signal };
    const stack = await copyProgram(STACK, path.join(folder, "stack"));
    const loop = await copyProgram(LOOP, path.join(folder, "loop"));
    const minimal = await copyProgram(MINIMAL, path.join(folder, "minimal"));
    log("warm-up");
    await deploy({ program: minimal, vmCount: 1, parallel }, surroundings);
    const ofStack = await deploy({ program: stack, vmCount: 2, parallel }, surroundings);
    const ofLoop = await deploy({ program: loop, vmCount: 2, parallel }, surroundings);
    checkSameTypes(ofStack.resources, ofLoop.resources);
    const common = { stack, loop, minimal, parallel, log };
    const loading = await measureLoading({ ...common, rounds }, surroundings);
    const latency = await measureLatency(
      {
        ...common,
        operationMs,
        vmCounts: vmCounts.filter((vmCount) => vmCount <= MAX_VM_COUNT_WITH_LATENCY),
        defaultParallel: parallel,
      },
      surroundings,
    );
    const growth = await measureGrowth({ ...common, vmCounts }, surroundings);
    return toResult({ operationMs, parallel, cores, loadAverage, latency, growth, loading });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The programs to compare don't do the same. */
export class UnequalProgramsError extends Error {
  override readonly name = "UnequalProgramsError";
}

/**
 * Makes sure that the bare loop keeps up with this repository's program: a comparison with less would be none.
 *
 * @throws {UnequalProgramsError} when the types of their resources differ
 */
export function checkSameTypes(
  ofStack: readonly StateResource[],
  ofLoop: readonly StateResource[],
): void {
  const [stackTypes, loopTypes] = [listTypes(ofStack), listTypes(ofLoop)];
  if (stackTypes.join() === loopTypes.join()) return;
  throw new UnequalProgramsError(
    "bench/stack/programs/loop has to declare what this stack does.\n" +
      `This stack: ${stackTypes.join(", ")}\nThe bare loop: ${loopTypes.join(", ")}`,
  );
}
