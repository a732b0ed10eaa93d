import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { buildBundle } from "../../verify/bundle";
import type { JsonReport } from "../../verify/report";
import type { Subject } from "./azure-answers";
import { createCertificate, type Certificate } from "./servers";

/** What a finished run left behind. */
export interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
  durationMs: number;
}

/** The built bundle in a folder of its own, and a certificate that its runs trust. */
export interface Bundle {
  file: string;
  certificate: Certificate;
  /** Runs the bundle with nothing in the environment but `env` and the trust in {@link certificate}. */
  run: (args: readonly string[], env?: Record<string, string>) => Promise<Run>;
  remove: () => Promise<void>;
}

/** Builds the bundle; each test file does so for itself, so that files can run at once. */
export async function createBundle(): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), "verify-"));
  const file = join(folder, "verify.js");
  const caFile = join(folder, "ca.pem");
  const certificate = await createCertificate();
  await writeFile(caFile, certificate.cert);
  await buildBundle(file);
  return {
    file,
    certificate,
    run: (args, env = {}) => run([file, ...args], { NODE_EXTRA_CA_CERTS: caFile, ...env }),
    remove: () => rm(folder, { recursive: true }),
  };
}

async function run(args: string[], env: Record<string, string>): Promise<Run> {
  const startMs = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  return { exitCode, stdout, stderr, durationMs: performance.now() - startMs };
}

/** The environment for a run about the subject. */
export function toEnvironment(
  { clientId, subscriptionId, resourceGroup }: Subject,
  imdsUrl: string,
  armUrl: string,
): Record<string, string> {
  return {
    AZURE_CLIENT_ID: clientId,
    AZURE_SUBSCRIPTION_ID: subscriptionId,
    AZURE_RESOURCE_GROUP: resourceGroup,
    AZURE_POD_IDENTITY_AUTHORITY_HOST: imdsUrl,
    AZURE_RESOURCE_MANAGER_ENDPOINT: armUrl,
  };
}

/** The JSON report of a run with `--json`, which must be all there is on stdout. */
export function parseReport({ stdout }: Run): JsonReport {
  return JSON.parse(stdout) as JsonReport;
}

/** Asserts that no 12 characters in a row of the token are in any output, and no stack trace either. */
export function expectNoLeak({ stdout, stderr }: Run, token: string): void {
  const output = `${stdout}\n${stderr}`;
  const leaked: string[] = [];
  for (let i = 0; i + 12 <= token.length; i++) {
    if (output.includes(token.slice(i, i + 12))) leaked.push(token.slice(i, i + 12));
  }
  expect(leaked).toEqual([]);
  expect(output).not.toMatch(/^\s+at .+:\d+:\d+/m);
}
