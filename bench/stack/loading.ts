import * as path from "node:path";
import { REPOSITORY } from "../../local/program";
import { getMedian } from "../statistics";
import { deploy, type Surroundings } from "./deployment";
import { runMeasured } from "./measured-run";
import type { ProgramFolder } from "./program-folder";

/** The times of the stack and of the minimal program. */
export interface LoadingResult {
  readonly what: "load" | "load, processor time" | "index.ts alone" | "type check";
  readonly stackMinMs: number;
  readonly stackMedianMs: number;
  readonly minimalMinMs: number;
  readonly minimalMedianMs: number;
  /** Of the minima, which are the least disturbed. */
  readonly ratio: number;
}

/** What {@link measureLoading} takes. */
export interface LoadingOptions {
  readonly stack: ProgramFolder;
  readonly minimal: ProgramFolder;
  readonly rounds: number;
  readonly parallel: number;
  readonly log: (line: string) => void;
}

const TYPESCRIPT = path.join(REPOSITORY, "node_modules", "typescript", "lib", "tsc.js");

/**
 * Loads and type-checks the stack and the minimal program, in turns. They are loaded by a real `pulumi up`, which takes
 * their JavaScript from its cache, since they did not change. Loading is timed from the start of the program's process;
 * `index.ts` alone is mostly the SDK, which takes about as long for each resource that is declared, and the minimal program
 * declares half as many.
 */
export async function measureLoading(
  { stack, minimal, rounds, parallel, log }: LoadingOptions,
  surroundings: Surroundings,
): Promise<LoadingResult[]> {
  const { env, signal } = surroundings;
  const loads: Times = { stack: [], minimal: [] };
  const processorTimes: Times = { stack: [], minimal: [] };
  const indexes: Times = { stack: [], minimal: [] };
  const checks: Times = { stack: [], minimal: [] };
  for (let round = 1; round <= rounds; round++) {
    log(`loading and type-checking, round ${round} of ${rounds}`);
    for (const [name, program] of Object.entries({ stack, minimal }) as Programs) {
      const { loadTimes } = await deploy({ program, vmCount: 1, parallel }, surroundings);
      loads[name].push(loadTimes.fromStartMs);
      processorTimes[name].push(loadTimes.fromStartCpuMs);
      indexes[name].push(loadTimes.indexMs);
      const { durationMs } = await runMeasured(process.execPath, [TYPESCRIPT, "--noEmit"], {
        ...{ cwd: program.path, env, signal },
      });
      checks[name].push(durationMs);
    }
  }
  return [
    toLoadingResult("load", loads),
    toLoadingResult("load, processor time", processorTimes),
    toLoadingResult("index.ts alone", indexes),
    toLoadingResult("type check", checks),
  ];
}

type Programs = ["stack" | "minimal", ProgramFolder][];

/** How long each round took, in milliseconds. */
interface Times {
  readonly stack: number[];
  readonly minimal: number[];
}

/** Compares the times of the two programs. */
export function toLoadingResult(what: LoadingResult["what"], times: Times): LoadingResult {
  const stackMinMs = Math.min(...times.stack);
  const minimalMinMs = Math.min(...times.minimal);
  return {
    what,
    stackMinMs,
    stackMedianMs: getMedian(times.stack),
    minimalMinMs,
    minimalMedianMs: getMedian(times.minimal),
    ratio: stackMinMs / minimalMinMs,
  };
}
