import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import type { Environment } from "./executable";

/** How much of a failed command's error output its error shows, in lines. */
const SHOWN_ERROR_LINES = 5;

/** What {@link runCommand} takes beside the command itself. */
export interface CommandSettings {
  /** Working directory. */
  cwd?: string;
  /** The whole environment of the command. */
  env: Environment;
  /** The command is killed after this long, in milliseconds. */
  timeoutMs: number;
  /** Aborting kills the command with all it started. */
  signal?: AbortSignal | undefined;
  /** Gets each line that the command writes to its standard error, while it runs. */
  onErrorLine?: (line: string) => void;
}

/** A command could not be started, ended with a non-zero exit code, or was killed because its time was up. */
export class CommandError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CommandError";
  }
}

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws {CommandError} with the last lines of its error output; the signal's reason when that was aborted. In both cases
 *   nothing that the command started is left running.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs, signal, onErrorLine }: CommandSettings,
): Promise<string> {
  signal?.throwIfAborted();
  const child = startChild(command, args, { cwd, env });
  const output: string[] = [];
  const errorLines: string[] = [];
  onLine(child.stdout, (line) => output.push(line));
  onLine(child.stderr, (line) => {
    errorLines.push(line);
    if (errorLines.length > SHOWN_ERROR_LINES) errorLines.shift();
    onErrorLine?.(line);
  });

  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
  const kill = () => {
    killProcessGroup(child, "SIGKILL");
  };
  stop.addEventListener("abort", kill);
  try {
    const ending = await getEnding(child);
    signal?.throwIfAborted();
    if (timeout.aborted) {
      throw new CommandError(`\`${command}\` took longer than ${timeoutMs / 1000} s`);
    }
    if (ending !== 0) {
      throw new CommandError(
        [`\`${command} ${args[0] ?? ""}\` ended with ${ending}`, ...errorLines].join("\n    "),
      );
    }
    return output.join("\n");
  } finally {
    stop.removeEventListener("abort", kill);
  }
}

/**
 * Starts a command without input, in a process group of its own: the terminal's Ctrl-C doesn't reach it, so only whoever
 * started it decides how it ends.
 *
 * @throws {CommandError} when it can't be started, unless that shows only later: see {@link getEnding}
 */
export function startChild(
  command: string,
  args: readonly string[],
  { cwd, env }: { cwd?: string | undefined; env: Environment },
): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      // Windows has no process groups, and a detached child gets a console window of its own there.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
  } catch (error) {
    throw createStartError(command, error as Error);
  }
}

/** Sends a signal to a child started with {@link startChild} and to everything that it started. */
export function killProcessGroup(child: ChildProcess, signal: "SIGINT" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    // No signals there either: the whole tree ends at once.
    spawn("taskkill", ["/PID", String(child.pid), "/T", "/F"], { stdio: "ignore" }).unref();
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended already.
  }
}

/**
 * How a child ended, once its output is complete: its exit code, or the name of the signal that killed it.
 *
 * @throws {CommandError} when it could not be started
 */
export function getEnding(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => {
      reject(createStartError(child.spawnfile, cause));
    });
    child.once("close", (code, signal) => {
      resolve(code ?? signal ?? "SIGKILL");
    });
  });
}

function createStartError(command: string, cause: Error): CommandError {
  return new CommandError(`\`${command}\` could not be started: ${cause.message}`, { cause });
}

/** Calls `handle` for each line of a stream. */
export function onLine(stream: Readable, handle: (line: string) => void): void {
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", handle);
}
