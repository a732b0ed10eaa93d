import { spawn } from "node:child_process";

/** One run of a program, from its start to its end. */
export interface ProcessRun {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  /** From just before it is started to when it has ended. */
  readonly durationMs: number;
  /** What it wrote to its standard error. */
  readonly errors: string;
}

/** How {@link runProcess} runs a program. */
export interface ProcessOptions {
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** A program that takes longer than this hangs. */
const TIMEOUT_MS = 60_000;

/**
 * Runs a program and measures how long it takes. Its output goes nowhere, so that nothing here reads along meanwhile.
 *
 * @throws {Error} when it can't be started, or `signal` ends it
 */
export async function runProcess(
  file: string,
  args: readonly string[],
  { env, signal }: ProcessOptions,
): Promise<ProcessRun> {
  signal.throwIfAborted();
  const started = performance.now();
  const child = spawn(file, args, {
    env: { ...env },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: TIMEOUT_MS,
    signal,
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  let durationMs = NaN;
  child.on("exit", () => {
    durationMs = performance.now() - started;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => {
      resolve({ exitCode, durationMs, errors });
    });
  });
}
