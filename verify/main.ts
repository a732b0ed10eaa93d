/**
 * verify: run on the VM, it shows that the managed identity works: a token from IMDS, the resource group from ARM.
 * This file alone touches the process: arguments and environment in, report out, exit code.
 */
import { readSettings } from "./config";
import { formatHelp } from "./help";
import { redact } from "./redaction";
import { formatError, formatReport, toJsonReport } from "./report";
import { SYSTEM_CLOCK, type Waiting } from "./retry";
import { toVerifyError, verify } from "./verification";

/** Shorter pauses are not worth a line of progress. */
const SILENT_WAIT_MS = 1_000;

const secrets = new Set<string>();

async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(formatHelp());
    return;
  }
  const verification = await verify(
    () => readSettings(args, process.env),
    toWaiting,
    (secret) => secrets.add(secret),
  );
  const report = toJsonReport(verification);
  process.exitCode = report.exitCode;
  // Looked for by itself, so that a wrong argument, too, is reported in the form asked for.
  if (args.includes("--json")) {
    process.stdout.write(redact(`${JSON.stringify(report, null, 2)}\n`, secrets));
    return;
  }
  process.stdout.write(redact(formatReport(report), secrets));
  if (report.error) process.stderr.write(redact(`\n${formatError(report.error)}`, secrets));
}

function toWaiting(waitMs: number): Waiting {
  return {
    clock: SYSTEM_CLOCK,
    deadlineMs: SYSTEM_CLOCK.now() + waitMs,
    onWait: (reason, delayMs) => {
      if (delayMs <= SILENT_WAIT_MS) return;
      process.stderr.write(`${reason}; trying again in ${Math.round(delayMs / 1_000)} s\n`);
    },
  };
}

// Whatever slips through still ends with a code of ours, without a stack trace.
process.on("uncaughtException", (error) => {
  const { code, message, exitCode } = toVerifyError(error);
  process.stderr.write(`error ${code}: ${message}\n`);
  process.exit(exitCode);
});

void main(process.argv.slice(2));
