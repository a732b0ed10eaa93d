import { parseArgs } from "node:util";
import { CommandError } from "@pulumi/pulumi/automation";
import { PulumiCliError } from "./pulumi-cli";
import { runCommand } from "./run-command";
import { StoryError, tellStory } from "./story";

const START_HELP = `Deploys the stack on an Azure on this machine, runs verify as its VM would, deploys again,
destroys, and checks that nothing is left.

Takes about 15 seconds, and minutes when the Pulumi CLI has to be built first.

Usage: npm start [-- <options>]

Options:
  --keep      before the teardown, leave it running until Ctrl-C, and print how to reach it
  -h, --help  print this

Exit codes: 0 all checks passed, 1 one did not, 2 wrong usage, 130 interrupted.`;

const RUN_HELP = `Runs a command with an Azure on this machine and the environment to reach it. The Azure, and all
that the command deploys on it, is gone when the command ends.

Usage: npm run local -- <command> [<arguments>]

  npm run local -- pulumi up --yes   deploy the dev stack there
  npm run local -- bash              a shell, for any number of commands

To be the VM, and run verify there, use npm start -- --keep.

The environment holds AZURE_RESOURCE_MANAGER_ENDPOINT, AZURE_SUBSCRIPTION_ID, AZURE_TENANT_ID and
ARM_TOKEN, an access token of the deployer, who owns the subscription:
  curl -H "Authorization: Bearer $ARM_TOKEN" \\
    "$AZURE_RESOURCE_MANAGER_ENDPOINT/subscriptions/$AZURE_SUBSCRIPTION_ID/resourcegroups?api-version=2021-04-01"

Exit codes: the command's own; 1 there is no Azure to run it with, 2 wrong usage, 127 no such command.`;

/** Exit codes of this program, besides those of the commands that it runs. */
const EXIT = { held: 0, failed: 1, wrongUsage: 2, interrupted: 130 } as const;

function print(line: string): void {
  console.log(line);
}

/** The command line isn't one that this program knows. */
class UsageError extends Error {
  override readonly name = "UsageError";
}

function parseStartOptions(args: string[]): { keep?: boolean; help?: boolean } {
  try {
    const options = { keep: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nnpm start -- --help tells the options.`);
  }
}

async function start(args: string[]): Promise<number> {
  const values = parseStartOptions(args);
  if (values.help) {
    print(START_HELP);
    return EXIT.held;
  }
  const interrupted = new AbortController();
  let onInterrupt = (): void => {
    interrupted.abort();
  };
  process.on("SIGINT", () => {
    onInterrupt();
  });
  process.on("SIGTERM", () => {
    interrupted.abort();
  });
  // While all is left running, Ctrl-C ends the pause and not the program.
  async function pause(): Promise<void> {
    const endProgram = onInterrupt;
    await new Promise<void>((resolve) => {
      onInterrupt = resolve;
      interrupted.signal.addEventListener("abort", () => {
        resolve();
      });
    });
    onInterrupt = endProgram;
  }
  try {
    await tellStory({
      env: process.env,
      print,
      color: process.stdout.isTTY && process.stdout.hasColors(),
      signal: interrupted.signal,
      pause: values.keep ? pause : undefined,
    });
    return EXIT.held;
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    print("\nInterrupted. All that was started is stopped and removed.");
    return EXIT.interrupted;
  }
}

async function run([name, ...args]: string[]): Promise<number> {
  if (name === undefined) throw new UsageError("No command. npm run local -- --help tells more.");
  if (name === "-h" || name === "--help") {
    print(RUN_HELP);
    return EXIT.held;
  }
  const terminated = new AbortController();
  // The terminal sends Ctrl-C to the command too, and the command decides what to do about it.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => {
    terminated.abort();
  });
  return runCommand([name, ...args], {
    env: process.env,
    log: (line) => {
      console.error(line);
    },
    signal: terminated.signal,
  });
}

/** What a person needs to read about an error: no stack trace where the error is one that's expected. */
function describeError(error: unknown): string {
  if (error instanceof PulumiCliError) return `${error.message}\n${error.hint}`;
  // The CLI has printed what went wrong; the message would print it again.
  if (error instanceof CommandError) return "The Pulumi CLI failed; its output is above.";
  if (error instanceof StoryError || error instanceof UsageError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main([command, ...args]: string[]): Promise<number> {
  try {
    if (command === "start") return await start(args);
    if (command === "run") return await run(args);
    throw new UsageError("Use npm start or npm run local.");
  } catch (error) {
    console.error(`\nerror: ${describeError(error)}`);
    return error instanceof UsageError ? EXIT.wrongUsage : EXIT.failed;
  }
}

void main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
