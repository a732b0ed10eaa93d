import type { JsonObject } from "../json";
import type { Resource, ScriptRun } from "../state";

/** How much of a script's output and errors is kept, in bytes: the end of each. */
const MAX_OUTPUT_BYTES = 4096;

/** The longest that a timer of Node's can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A script that a VM is to run. */
export interface ScriptRequest {
  /** Resource id of the VM. */
  readonly vmId: string;
  readonly script: string;
  /** In order; one of an empty name is given by its place. */
  readonly parameters: readonly ScriptParameter[];
  /** Aborted when its time is over, and when its run command, its VM or this Azure goes. */
  readonly signal: AbortSignal;
}

/** A parameter of a script. */
export interface ScriptParameter {
  readonly name: string;
  readonly value: string;
}

/** How a script ended. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly output: string;
  readonly error: string;
}

/**
 * Runs a script as a VM would, until it ends or its signal is aborted.
 * @throws Error when it could not be run at all, or was aborted
 */
export type RunScript = (request: ScriptRequest) => Promise<ScriptResult>;

/** The scripts that run on VMs. */
export interface ScriptRuns {
  /** Runs a run command's script; resolves, whatever became of it, when that stands in its `run`. */
  start(
    runCommand: Resource,
    run: ScriptRun,
    request: Omit<ScriptRequest, "signal"> & { readonly timeoutMs: number },
  ): Promise<void>;
  /** Stops what runs for the resource of that id and those below it. */
  stop(id: string): void;
  /** Stops all that runs, and lets nothing start. */
  close(): Promise<void>;
}

/** No scripts run yet. Without a way to run one, every script fails. */
export function createScriptRuns(runScript: RunScript = failToRun): ScriptRuns {
  const running = new Map<string, { controller: AbortController; ended: Promise<void> }>();
  let isClosed = false;

  function stop(id: string): void {
    const prefix = id.toLowerCase();
    for (const [key, { controller }] of running) {
      if (key === prefix || key.startsWith(`${prefix}/`)) controller.abort("Canceled");
    }
  }

  return {
    start(runCommand, run, { timeoutMs, ...request }) {
      const controller = new AbortController();
      const key = runCommand.id.toLowerCase();
      stop(key);
      if (isClosed) controller.abort("Canceled");
      const timer = setTimeout(
        () => {
          controller.abort("TimedOut");
        },
        Math.min(timeoutMs, MAX_TIMER_MS),
      );
      const entry = {
        controller,
        ended: execute(run, runScript, { ...request, signal: controller.signal }).finally(() => {
          clearTimeout(timer);
          if (running.get(key) === entry) running.delete(key);
        }),
      };
      running.set(key, entry);
      return entry.ended;
    },
    stop,
    async close() {
      isClosed = true;
      const all = [...running.values()];
      for (const { controller } of all) controller.abort("Canceled");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/**
 * A run command's `instanceView`. "Virtual Machine Run Commands - Get By Virtual Machine",
 * https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/get-by-virtual-machine.
 */
export function getRunInstanceView(run: ScriptRun): JsonObject {
  return {
    executionState: run.state,
    executionMessage: run.message ?? "",
    exitCode: run.exitCode,
    output: run.output,
    error: run.error,
    startTime: run.startTime,
    endTime: run.endTime,
  };
}

/** Never rejects: what went wrong stands in the run. */
async function execute(
  run: ScriptRun,
  runScript: RunScript,
  request: ScriptRequest,
): Promise<void> {
  const { signal } = request;
  run.state = "Running";
  run.startTime = new Date().toISOString();
  try {
    signal.throwIfAborted();
    const result = await runScript(request);
    signal.throwIfAborted();
    run.exitCode = result.exitCode;
    run.output = keepEnd(result.output);
    run.error = keepEnd(result.error);
    run.state = result.exitCode === 0 ? "Succeeded" : "Failed";
  } catch (error) {
    if (signal.aborted) {
      run.state = signal.reason === "TimedOut" ? "TimedOut" : "Canceled";
    } else {
      run.state = "Failed";
      run.message = error instanceof Error ? error.message : String(error);
    }
  }
  run.endTime = new Date().toISOString();
}

function keepEnd(text: string): string {
  return Buffer.from(text).subarray(-MAX_OUTPUT_BYTES).toString();
}

function failToRun(): Promise<ScriptResult> {
  const error = "This local Azure was started without a way to run scripts.";
  return Promise.reject(new Error(error));
}
