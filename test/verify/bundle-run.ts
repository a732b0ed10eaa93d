import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { buildBundle } from "../../verify/bundle";
import type { JsonReport } from "../../verify/report";
import { createCertificate, type Certificate } from "./servers";

/** What a finished run left behind. */
export interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  durationMs: number;
}

/** A run under way. */
export interface StartedRun {
  process: ChildProcess;
  ended: Promise<Run>;
}

/** The built bundle in a folder of its own, and certificates that its runs trust. */
export interface Bundle {
  file: string;
  certificate: Certificate;
  /** Ended some weeks ago. */
  expiredCertificate: Certificate;
  /** Runs the bundle with nothing in the environment but `env` and the trust in {@link certificate}. */
  run: (args: readonly string[], env?: Record<string, string>) => Promise<Run>;
  /** Starts such a run. */
  start: (args: readonly string[], env?: Record<string, string>) => StartedRun;
  remove: () => Promise<void>;
}

/** Builds the bundle; each test file does so for itself, so that files can run at once. */
export async function createBundle(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "verify-"));
  const file = join(folder, "verify.js");
  const caFile = join(folder, "ca.pem");
  const certificate = await createCertificate();
  const expiredCertificate = await createCertificate(new Date(Date.now() - 30 * 86_400_000));
  await writeFile(caFile, `${certificate.cert}\n${expiredCertificate.cert}`);
  await buildBundle(file);
  const start: Bundle["start"] = (args, env = {}) =>
    startRun([file, ...args], { NODE_EXTRA_CA_CERTS: caFile, ...env });
  return {
    file,
    certificate,
    expiredCertificate,
    start,
    run: (args, env) => start(args, env).ended,
    remove: () => rm(folder, { recursive: true }),
  };
}

function startRun(args: string[], env: Record<string, string>): StartedRun {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Run>((resolve, reject) => {
    child.on("error", reject).on("close", (exitCode) => {
      resolve({ exitCode, stdout, stderr, durationMs: performance.now() - startMs });
    });
  });
  return { process: child, ended };
}

/** The JSON report of a run with `--json`, which must be all there is on stdout. */
export function parseReport({ stdout }: Run): JsonReport {
  return JSON.parse(stdout) as JsonReport;
}

/** Asserts that no 12 characters in a row of the secrets are in any output, and no stack trace either. */
export function expectNoLeak({ stdout, stderr }: Run, ...secrets: string[]): void {
  const output = `${stdout}\n${stderr}`;
  const leaked: string[] = [];
  for (const secret of secrets) {
    for (let i = 0; i + 12 <= secret.length; i++) {
      if (output.includes(secret.slice(i, i + 12))) leaked.push(secret.slice(i, i + 12));
    }
  }
  expect(leaked).toEqual([]);
  expect(output).not.toMatch(/^\s+at .+:\d+:\d+/m);
}
