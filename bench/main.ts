import { parseArgs } from "node:util";
import { PulumiCliError } from "../local/pulumi-cli";
import { CommandError } from "../local/pulumi-cli/child-process";
import { UsageError, type Benchmark, type BenchmarkSurroundings } from "./benchmark";
import { UnequalProgramsError } from "./stack/benchmark";
import { STACK_BENCHMARK } from "./stack/command";
import { VERIFY_BENCHMARK } from "./verify/command";
import { PeerError } from "./verify/measurement";

const BENCHMARKS: readonly Benchmark[] = [VERIFY_BENCHMARK, STACK_BENCHMARK];

const COMMON_OPTIONS = {
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Exit codes of this program. */
const EXIT = { met: 0, missed: 1, wrongUsage: 2, interrupted: 130 } as const;

function getHelp(): string {
  const indent = (lines: readonly string[], first: string) =>
    lines.map((line, index) => (index === 0 ? first : "").padEnd(10) + line);
  return [
    "Measures this project side by side with what a user would pick instead.",
    "",
    `Usage: npm run bench -- <${BENCHMARKS.map(({ name }) => name).join("|")}> [<options>]`,
    "",
    ...BENCHMARKS.flatMap(({ name, summary }) => [...indent(summary, `  ${name}`), ""]),
    ...BENCHMARKS.flatMap(({ name, optionsHelp }) => [
      `Options of ${name}:`,
      ...optionsHelp.map((line) => `  ${line}`),
      "",
    ]),
    "Options of all:",
    "  --json              print the result as one JSON object",
    "  -h, --help          print this",
    "",
    "Exit codes: 0 all targets are met, 1 one is missed or a program failed, 2 wrong usage, 130 interrupted.",
  ].join("\n");
}

/** What the command line asks for. */
interface Wanted {
  readonly measure: ReturnType<Benchmark["prepare"]>;
  readonly json: boolean;
}

/**
 * Reads the command line.
 *
 * @returns undefined for help
 * @throws {UsageError} when it is wrong
 */
function readCommandLine(args: string[]): Wanted | undefined {
  const everyOption = Object.assign({}, ...BENCHMARKS.map(({ options }) => options)) as object;
  const { values, positionals } = parse(args, { ...everyOption, ...COMMON_OPTIONS });
  if (values.help) return undefined;
  const benchmark = BENCHMARKS.find(({ name }) => name === positionals.join(" "));
  if (benchmark === undefined) {
    throw new UsageError(
      `Say what to measure: ${BENCHMARKS.map(({ name }) => name).join(" or ")}.`,
    );
  }
  const own = parse(args, { ...benchmark.options, ...COMMON_OPTIONS });
  return { measure: benchmark.prepare(own.values), json: own.values.json };
}

function parse<Options extends Benchmark["options"]>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

async function runBenchmark(args: string[], surroundings: BenchmarkSurroundings): Promise<number> {
  const wanted = readCommandLine(args);
  if (wanted === undefined) {
    console.log(getHelp());
    return EXIT.met;
  }
  const { result, lines, targets } = await wanted.measure(surroundings);
  console.log(wanted.json ? JSON.stringify(result, null, 2) : lines.join("\n"));
  return targets.every(({ isMet }) => isMet) ? EXIT.met : EXIT.missed;
}

async function main(args: string[]): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      interrupted.abort();
    });
  }
  try {
    return await runBenchmark(args, {
      env: process.env,
      log: (line) => {
        console.error(line);
      },
      signal: interrupted.signal,
    });
  } catch (error) {
    if (interrupted.signal.aborted) {
      console.error("Interrupted. All that was started is stopped and removed.");
      return EXIT.interrupted;
    }
    if (error instanceof UsageError) {
      console.error(`error: ${error.message}\nnpm run bench -- --help tells more.`);
      return EXIT.wrongUsage;
    }
    const isExpected = [PeerError, UnequalProgramsError, CommandError, PulumiCliError].some(
      (expected) => error instanceof expected,
    );
    console.error(isExpected ? `error: ${(error as Error).message}` : error);
    return EXIT.missed;
  }
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
