import { parseArgs } from "node:util";
import { CommandError } from "../local/pulumi-cli/child-process";
import { benchmarkVerify } from "./verify/benchmark";
import { PeerError } from "./verify/measurement";
import { formatResult } from "./verify/table";

const HELP = `Measures this project side by side with what a user would pick instead.

Usage: npm run bench -- verify [<options>]

  verify  start to end of verify, against a dependency-free script, axios and the Azure SDK, which make
          the same requests to an Azure on this machine; takes about ten seconds

Options:
  --rounds <n>  how often each is timed, 15 by default
  --go          beside the Go SDK too; needs Go ≥ 1.25, and takes up to a minute to build
  --json        print the result as one JSON object
  -h, --help    print this

Exit codes: 0 all targets are met, 1 one is missed or a program failed, 2 wrong usage, 130 interrupted.`;

/** Exit codes of this program. */
const EXIT = { met: 0, missed: 1, wrongUsage: 2, interrupted: 130 } as const;

const OPTIONS = {
  rounds: { type: "string", default: "15" },
  go: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The command line isn't one that this program knows. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the command line asks for; undefined for help. */
function readCommandLine(
  args: string[],
): { rounds: number; withGo: boolean; json: boolean } | undefined {
  let parsed;
  try {
    parsed = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals } = parsed;
  if (values.help) return undefined;
  if (positionals.join(" ") !== "verify") throw new UsageError("Say what to measure: verify.");
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new UsageError(`--rounds must be a whole number from 1, not ${values.rounds}.`);
  }
  return { rounds, withGo: values.go ?? false, json: values.json ?? false };
}

async function runBenchmark(args: string[], signal: AbortSignal): Promise<number> {
  const wanted = readCommandLine(args);
  if (wanted === undefined) {
    console.log(HELP);
    return EXIT.met;
  }
  const result = await benchmarkVerify({
    rounds: wanted.rounds,
    withGo: wanted.withGo,
    env: process.env,
    log: (line) => {
      console.error(line);
    },
    signal,
  });
  console.log(wanted.json ? JSON.stringify(result, null, 2) : formatResult(result).join("\n"));
  return result.targets.every(({ isMet }) => isMet) ? EXIT.met : EXIT.missed;
}

async function main(args: string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted.abort();
    });
  }
  try {
    return await runBenchmark(args, interrupted.signal);
  } catch (error) {
    if (interrupted.signal.aborted) {
      console.error("Interrupted. All that was started is stopped and removed.");
      return EXIT.interrupted;
    }
    if (error instanceof UsageError) {
      console.error(`error: ${error.message}\nnpm run bench -- --help tells more.`);
      return EXIT.wrongUsage;
    }
    const isExpected = error instanceof PeerError || error instanceof CommandError;
    console.error(isExpected ? `error: ${error.message}` : error);
    return EXIT.missed;
  }
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
