import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { expect, onTestFinished, vi } from "vitest";

/** True where the fakes below, shell scripts all of them, can't run. */
export const NO_SHELL_SCRIPTS = process.platform === "win32";

/** Makes a folder that is removed when the test is over. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-cli-test-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes an executable shell script with its folder, and returns its path. */
export function writeScript(path: string, body: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** Writes an executable that, like the CLI, prints its version. */
export function writeFakeCli(path: string, version: string): string {
  return writeScript(path, `[ "$1" = version ] && echo ${version}`);
}

/** True while a process with this id runs. One that ended but that nobody has collected yet doesn't. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Linux: `pid (name) state …`. Elsewhere there is no such file.
    return !/\) Z /.test(existsSync("/proc/self") ? readFileSync(`/proc/${pid}/stat`, "utf8") : "");
  } catch {
    return false;
  }
}

/** Waits until a program has written its process id to a file, and returns it. */
export async function readPid(path: string): Promise<number> {
  await vi.waitFor(
    () => {
      expect(existsSync(path)).toBe(true);
    },
    { timeout: 20_000 },
  );
  return Number(readFileSync(path, "utf8"));
}

/** Waits until a process has ended. */
export async function waitUntilEnded(pid: number): Promise<void> {
  await vi.waitFor(
    () => {
      expect(isRunning(pid)).toBe(false);
    },
    { timeout: 10_000 },
  );
}

/** A shell script that starts another process, writes that one's id to the file `$PID_FILE`, and never ends. */
export const ENDLESS_SCRIPT =
  'sleep 600 & echo $! > "$PID_FILE.part"; mv "$PID_FILE.part" "$PID_FILE"; wait';
