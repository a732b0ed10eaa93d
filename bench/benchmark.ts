import type { ParseArgsOptionsConfig } from "node:util";
import type { Target } from "./target";

/** What `npm run bench -- <name>` measures. */
export interface Benchmark {
  readonly name: string;
  /** For the help: what it measures, a line each. */
  readonly summary: readonly string[];
  /** What the command line takes, besides `--json` and `--help`; see `parseArgs` of Node. */
  readonly options: ParseArgsOptionsConfig;
  /** For the help: what each of {@link options} does, a line each. */
  readonly optionsHelp: readonly string[];
  /**
   * Reads the values of {@link options}.
   *
   * @returns what measures
   * @throws {UsageError} when a value is wrong
   */
  readonly prepare: (
    values: Readonly<Record<string, unknown>>,
  ) => (surroundings: BenchmarkSurroundings) => Promise<BenchmarkOutcome>;
}

/** What every benchmark gets. */
export interface BenchmarkSurroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line of progress. */
  readonly log: (line: string) => void;
  /** Ends the benchmark early; what was started is stopped and removed. */
  readonly signal: AbortSignal;
}

/** What a benchmark found out. */
export interface BenchmarkOutcome {
  /** For programs: the object that `--json` prints. */
  readonly result: object;
  /** For people: the same as text, a line each. */
  readonly lines: readonly string[];
  readonly targets: readonly Target[];
}

/** The command line isn't one that this program knows. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads an option that is a number of things.
 *
 * @throws {UsageError} when it isn't
 */
export function readCount(option: string, value: unknown): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`--${option} must be a whole number from 1, not ${String(value)}.`);
  }
  return count;
}
