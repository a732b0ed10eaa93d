import { createRequire } from "node:module";
import { join } from "node:path";

import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { type RunRequest, RunResponse } from "@pulumi/pulumi/proto/language_pb";

import { CommandError, getEnding, killProcessGroup, onLine, startChild } from "./child-process";
import type { Environment } from "./executable";

/** The SDK's runner ends with this exit code when it has told the engine about the error (`cmd/run/index.js` of the SDK). */
const ERROR_REPORTED_EXIT_CODE = 32;

/** What a program gets to end by itself once it is interrupted, in milliseconds; the official host's figure. */
const INTERRUPT_GRACE_MS = 5_000;

/** The numbers by which the official host tells the engine its two output streams apart. */
const STREAM_IDS = { stdout: 1, stderr: 2 } as const;

/** Where and how {@link runProgram} runs. */
export interface ProgramContext {
  /** The Node executable. */
  nodePath: string;
  /** Environment of the program, without the configuration. */
  env: Environment;
  /** Folder the runner is started from. */
  cwd: string;
  /** `host:port` of the engine, which shows what the program prints. */
  engineAddress: string;
  /** Aborting interrupts the program, and kills it if it goes on. */
  signal: AbortSignal;
}

/**
 * Runs a Pulumi program in the SDK's own runner (`@pulumi/pulumi/cmd/run`, as found from the program's folder), with the
 * arguments, environment and reading of exit codes of the official Node language host.
 *
 * @returns the answer for the engine, errors of the program included
 */
export async function runProgram(
  request: RunRequest,
  { nodePath, env, cwd, engineAddress, signal }: ProgramContext,
): Promise<RunResponse> {
  const response = new RunResponse();
  const command = getRunnerCommand(request, engineAddress);
  if (typeof command === "string") return response.setError(command);

  const output = openOutput(engineAddress);
  let killTimer: NodeJS.Timeout | undefined;
  let interrupt = () => {};
  try {
    const child = startChild(nodePath, command.args, { cwd, env: { ...env, ...command.env } });
    onLine(child.stdout, (line) => {
      output.write(line, STREAM_IDS.stdout);
    });
    onLine(child.stderr, (line) => {
      output.write(line, STREAM_IDS.stderr);
    });
    interrupt = () => {
      killProcessGroup(child, "SIGINT");
      killTimer = setTimeout(() => {
        killProcessGroup(child, "SIGKILL");
      }, INTERRUPT_GRACE_MS);
    };
    signal.addEventListener("abort", interrupt);
    if (signal.aborted) interrupt();
    const ending = await getEnding(child);
    if (ending === 0) return response;
    if (ending === ERROR_REPORTED_EXIT_CODE) return response.setBail(true);
    return response.setError(
      typeof ending === "number"
        ? `Program exited with non-zero exit code: ${ending}`
        : `Program was ended by ${ending}`,
    );
  } catch (error) {
    if (error instanceof CommandError) return response.setError(error.message);
    throw error;
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener("abort", interrupt);
    await output.close();
  }
}

/** Arguments for Node and additions to the environment; a string is the reason why the program can't be run. */
function getRunnerCommand(
  request: RunRequest,
  engineAddress: string,
): { args: string[]; env: Environment } | string {
  const info = request.getInfo();
  if (info === undefined) return "The engine named no program";
  if (request.getAttachDebugger()) {
    return "This language host can't attach a debugger: use the official Pulumi CLI for --attach-debugger";
  }
  const options = info.getOptions()?.toJavaScript() ?? {};
  const nodeArgs = typeof options.nodeargs === "string" ? options.nodeargs : "";
  if (/["'\\]/.test(nodeArgs)) {
    return "This language host takes no quotes and backslashes in Pulumi.yaml's runtime option nodeargs";
  }

  let runner: string;
  try {
    const resolveFrom = createRequire(join(info.getProgramDirectory(), "index.js"));
    runner = resolveFrom.resolve("@pulumi/pulumi/cmd/run");
  } catch {
    return `@pulumi/pulumi is not installed in ${info.getProgramDirectory()}: run \`npm ci\` there`;
  }

  const named = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info.getRootDirectory(),
    stack: request.getStack(),
    pwd: info.getProgramDirectory(),
    parallel: String(request.getParallel()),
  };
  return {
    args: [
      ...nodeArgs.split(/\s+/).filter(Boolean),
      runner,
      ...Object.entries(named).flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
      ...(request.getDryrun() ? ["--dry-run"] : []),
      info.getEntryPoint(),
      ...request.getArgsList(),
    ],
    env: {
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
      ...(options.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
      ...(typeof options.tsconfig === "string"
        ? { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }
        : {}),
    },
  };
}

/** The way for a program's output to the engine, which shows it among its diagnostics. */
function openOutput(engineAddress: string) {
  const client = new EngineClient(engineAddress, credentials.createInsecure());
  let queue = Promise.resolve();
  return {
    /** Sends one line, after those written before. */
    write: (line: string, streamId: number) => {
      const request = new LogRequest()
        .setSeverity(LogSeverity.INFO)
        .setMessage(`${line}\n`)
        .setStreamid(streamId);
      queue = queue.then(
        () =>
          new Promise((resolve) => {
            // An engine that is gone shows nothing any more; that is no reason to fail.
            client.log(request, () => {
              resolve();
            });
          }),
      );
    },
    /** Waits until all is sent. */
    close: async () => {
      await queue;
      client.close();
    },
  };
}
