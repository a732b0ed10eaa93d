/**
 * verify: run on the VM, it shows that the managed identity works: a token from IMDS, the resource group from ARM.
 * This file alone touches the process: arguments and environment in, report out, exit code.
 */
import { FAILURES } from "./errors";
import { formatHelp } from "./help";
import { redact } from "./redaction";
import { toJsonReport } from "./report";
import { SYSTEM_CLOCK, type Waiting } from "./retry";
import { formatFailure, formatReport, STEP_TITLES } from "./text-report";
import { toVerifyError, verify, type Step, type Surroundings } from "./verification";

/** Shorter pauses are not worth a line of progress. */
const SILENT_WAIT_MS = 1_000;

/** A step that takes longer is named while it goes on. */
const SLOW_STEP_MS = 2_000;

const secrets = new Set<string>();

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    await print(process.stdout, formatHelp());
    return 0;
  }
  // Looked for by themselves, so that a wrong argument, too, is reported in the form asked for.
  const isJson = args.includes("--json");
  const isQuiet = args.includes("--quiet");
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      interrupted.abort();
    });
  }
  const progress = createProgress(
    isQuiet ? () => undefined : (line) => void print(process.stderr, `${line}\n`),
  );

  const verification = await verify({
    args,
    env: process.env,
    toWaiting: (waitMs) => toWaiting(waitMs, interrupted.signal, progress.onWait),
    onStep: progress.onStep,
    keepSecret: (secret) => secrets.add(secret),
  });
  progress.end();
  const report = toJsonReport(verification, Date.now());
  if (isJson) {
    await print(process.stdout, `${JSON.stringify(report, redactValue, 2)}\n`);
    return report.exitCode;
  }
  if (!isQuiet) await print(process.stdout, redact(formatReport(report), secrets));
  const failures = report.warnings.map((warning) => formatFailure("warning", warning));
  if (report.error) failures.push(formatFailure("error", report.error));
  for (const failure of failures) {
    await print(process.stderr, redact(isQuiet ? failure : `\n${failure}`, secrets));
  }
  return report.exitCode;
}

/** Values only: a service must not be able to change the names of the report's fields. */
function redactValue(_key: string, value: unknown): unknown {
  return typeof value === "string" ? redact(value, secrets) : value;
}

/** Ends when the text is written, also to a pipe, and cut off by nothing that follows. */
function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  // Who reads along may be gone; the exit code still counts. Done here, since Node opens a stream when it is first named.
  if (stream.listenerCount("error", ignore) === 0) stream.on("error", ignore);
  return new Promise((resolve) => {
    stream.write(text, () => {
      resolve();
    });
  });
}

function ignore(): void {
  // On purpose.
}

function toWaiting(waitMs: number, signal: AbortSignal, onWait: Waiting["onWait"]): Waiting {
  return { clock: SYSTEM_CLOCK, deadlineMs: SYSTEM_CLOCK.now() + waitMs, onWait, signal };
}

/** Says what is being waited for, as soon as it is worth a line. */
function createProgress(
  print: (line: string) => void,
): Pick<Surroundings, "onStep"> & { onWait: Waiting["onWait"]; end: () => void } {
  const open = new Set<Step["name"]>();
  let slow: NodeJS.Timeout | undefined;
  const end = () => {
    clearTimeout(slow);
  };
  const watch = (delayMs: number) => {
    end();
    slow = setTimeout(() => {
      for (const name of open) print(`still at: ${STEP_TITLES[name]}`);
    }, delayMs);
  };
  return {
    onStep: (name, event) => {
      if (event === "begin") open.add(name);
      else open.delete(name);
      watch(SLOW_STEP_MS);
    },
    onWait: (reason, delayMs) => {
      if (delayMs > SILENT_WAIT_MS) {
        print(`${reason}; trying again in ${Math.round(delayMs / 1_000)} s`);
      }
      watch(delayMs + SLOW_STEP_MS);
    },
    end,
  };
}

// Whatever slips through, or leaves nothing to wait for before the report is written, ends with a code of ours.
process.exitCode = FAILURES.INTERNAL_ERROR.exitCode;
process.on("uncaughtException", (error) => {
  const { code, message, exitCode } = toVerifyError(error);
  process.stderr.write(`error ${code}: ${message}\n`);
  process.exit(exitCode);
});
void main(process.argv.slice(2)).then((exitCode) => {
  // Whatever a call that was given up has left behind, a half-open connection for instance, nothing waits for it.
  process.exit(exitCode);
});
