import { afterAll, beforeAll } from "vitest";
import { createSubject, createToken, type Subject } from "./azure-answers";
import { createBundle, expectNoLeak, parseReport, type Bundle, type Run } from "./bundle-run";
import { startAzure, type FakeAzure, type Replies } from "./fake-azure";
import type { Certificate } from "./servers";
import type { JsonReport } from "../../verify/report";

/** A finished run with `--json` and what it met. */
export interface VerifyRun {
  run: Run;
  report: JsonReport;
  subject: Subject;
  azure: FakeAzure;
}

/** How to run verify in one test. */
export interface RunOptions {
  /** More arguments; `--json` is always there. */
  args?: readonly string[];
  subject?: Subject;
  /** What is answered; a function is told the audience of tokens for this ARM. */
  replies?: Replies | ((subject: Subject, audience: string) => Replies);
  /** ARM's; one that is trusted by default. */
  certificate?: Certificate;
  /** Changes the environment, which tells everything about the subject: undefined takes a variable away. */
  env?: Record<string, string | undefined> | ((azure: FakeAzure) => Record<string, string>);
}

/** Builds the bundle for the tests of one file. */
export function useBundle(): () => Bundle {
  let bundle: Bundle | undefined;
  beforeAll(async () => {
    bundle = await createBundle();
  });
  afterAll(() => bundle?.remove());
  return () => {
    if (!bundle) throw new Error("The bundle is built before the tests, not before that.");
    return bundle;
  };
}

/**
 * Runs the bundle against an Azure of its own, which ends with the run, and asserts what holds for every run: no part of
 * a token in any output, no stack trace, tokens to ARM only, the Metadata header at IMDS, the exit code in the report.
 */
export async function runVerify(bundle: Bundle, options: RunOptions = {}): Promise<VerifyRun> {
  const { args = [], subject = createSubject(), replies = {}, env = {} } = options;
  const { certificate = bundle.certificate } = options;
  await using azure = await startAzure(subject, certificate, (audience) =>
    typeof replies === "function" ? replies(subject, audience) : replies,
  );
  const changes = typeof env === "function" ? env(azure) : env;
  const variables = Object.entries({ ...azure.env, ...changes });
  const defined = variables.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const run = await bundle.run(["--json", ...args], Object.fromEntries(defined));

  expectNoLeak(run, createToken(subject, `${azure.arm.url}/`), subject.signature);
  for (const { headers } of azure.imds.received) {
    if (headers.authorization || headers.metadata !== "true" || headers["x-forwarded-for"]) {
      throw new Error(`A request to IMDS had the headers ${JSON.stringify(headers)}.`);
    }
  }
  for (const { headers } of azure.arm.received) {
    if (headers.metadata || !headers.authorization?.startsWith("Bearer ")) {
      throw new Error(`A request to ARM had the headers ${Object.keys(headers).join(", ")}.`);
    }
  }
  const report = parseReport(run);
  if (report.exitCode !== run.exitCode) throw new Error(`Exit code ${run.exitCode ?? "none"}.`);
  return { run, report, subject, azure };
}
