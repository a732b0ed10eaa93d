import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { CommandError, runCommand } from "../../../local/pulumi-cli/child-process";
import {
  ENDLESS_SCRIPT,
  isRunning,
  makeFolder,
  NO_SHELL_SCRIPTS,
  readPid,
  waitUntilEnded,
  writeScript,
} from "./fixtures";

const SETTINGS = { env: process.env, timeoutMs: 20_000 };

describe.skipIf(NO_SHELL_SCRIPTS)("runCommand", () => {
  test("returns the output and hands on each error line", async () => {
    const script = writeScript(join(makeFolder(), "x"), "echo one; echo two; echo oops >&2");
    const lines: string[] = [];

    const output = await runCommand(script, [], {
      ...SETTINGS,
      onErrorLine: (line) => lines.push(line),
    });

    expect(output).toBe("one\ntwo");
    expect(lines).toEqual(["oops"]);
  });

  test("fails with the exit code and the last error lines", async () => {
    const script = writeScript(
      join(makeFolder(), "x"),
      "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3",
    );

    const error = await runCommand(script, ["go"], SETTINGS).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(CommandError);
    expect((error as Error).message).toMatch(/x go` ended with 3\n/);
    expect((error as Error).message).toContain("line 7");
    expect((error as Error).message).not.toContain("line 2");
  });

  test("fails when the command does not exist", async () => {
    const missing = join(makeFolder(), "missing");

    await expect(runCommand(missing, [], SETTINGS)).rejects.toThrow(CommandError);
  });

  test("kills the command and what it started when its time is up", async () => {
    const folder = makeFolder();
    const script = writeScript(join(folder, "x"), ENDLESS_SCRIPT);
    const PID_FILE = join(folder, "pid");

    const run = runCommand(script, [], { env: { ...process.env, PID_FILE }, timeoutMs: 500 });

    await expect(run).rejects.toThrow(/took longer than 0\.5 s/);
    await waitUntilEnded(await readPid(PID_FILE));
  });

  test("kills the command and what it started when aborted, and throws the reason", async () => {
    const folder = makeFolder();
    const script = writeScript(join(folder, "x"), ENDLESS_SCRIPT);
    const PID_FILE = join(folder, "pid");
    const abort = new AbortController();
    const reason = new Error("Ctrl-C");

    const run = runCommand(script, [], {
      env: { ...process.env, PID_FILE },
      timeoutMs: 20_000,
      signal: abort.signal,
    });
    const pid = await readPid(PID_FILE);
    expect(isRunning(pid)).toBe(true);
    abort.abort(reason);

    await expect(run).rejects.toBe(reason);
    await waitUntilEnded(pid);
  });
});
