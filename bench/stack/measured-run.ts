import type { Environment } from "../../local/pulumi-cli/executable";
import {
  CommandError,
  getEnding,
  killProcessGroup,
  onLine,
  startChild,
} from "../../local/pulumi-cli/child-process";
import { readPeakKilobytes } from "../peak-memory";

/** One run of a command, from its start to its end. */
export interface MeasuredRun {
  /** From just before it is started to its end. */
  readonly durationMs: number;
  /** The peak of its resident memory; null where the system doesn't tell. */
  readonly peakKilobytes: number | null;
  /** What it wrote, standard output and standard error together. */
  readonly output: string;
}

/** What {@link runMeasured} takes beside the command. */
export interface RunOptions {
  readonly cwd: string;
  /** All of its environment. */
  readonly env: Environment;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** A peak only grows, so the last look before the end misses little. */
const MEMORY_INTERVAL_MS = 20;

/** A command that takes longer than this hangs: the longest `pulumi up` takes one minute, on a busy machine more. */
const TIMEOUT_MS = 300_000;

/** How much a failure shows of what the command wrote, in lines. */
const SHOWN_LINES = 15;

/**
 * Runs a command to its end and measures it.
 *
 * @throws {CommandError} when it fails; the signal's reason when that was aborted, and then it has ended too
 */
export async function runMeasured(
  command: string,
  args: readonly string[],
  { cwd, env, signal }: RunOptions,
): Promise<MeasuredRun> {
  signal.throwIfAborted();
  const startedMs = performance.now();
  const child = startChild(command, args, { cwd, env });
  let endedMs = NaN;
  child.on("exit", () => {
    endedMs = performance.now();
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) onLine(stream, (line) => lines.push(line));
  let peakKilobytes: number | null = null;
  const memoryTimer = setInterval(() => {
    if (child.pid === undefined) return;
    peakKilobytes = readPeakKilobytes(child.pid) ?? peakKilobytes;
  }, MEMORY_INTERVAL_MS);
  const stop = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const kill = () => {
    killProcessGroup(child, "SIGKILL");
  };
  stop.addEventListener("abort", kill);
  try {
    const ending = await getEnding(child);
    signal.throwIfAborted();
    if (ending !== 0) {
      const title = [command, ...args].slice(0, 2).join(" ");
      throw new CommandError(
        [`\`${title}\` ended with ${ending}`, ...lines.slice(-SHOWN_LINES)].join("\n    "),
      );
    }
    return { durationMs: endedMs - startedMs, peakKilobytes, output: lines.join("\n") };
  } finally {
    clearInterval(memoryTimer);
    stop.removeEventListener("abort", kill);
  }
}
