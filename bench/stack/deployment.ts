import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import * as path from "node:path";
import { startLanguageHost } from "../../local/pulumi-cli";
import type { StateResource } from "./critical-path";
import { runMeasured, type RunOptions } from "./measured-run";
import { PROJECT_NAME, writeSettings, type ProgramFolder } from "./program-folder";
import type { LoadTimes } from "./program-hook";
import { startStubProvider, type Creation } from "./stub-provider";

/** Where and with what deployments are measured. */
export interface Surroundings {
  /** For files that all deployments share, and for those of each, which go with it. */
  readonly folder: string;
  /** The file of the Pulumi CLI. */
  readonly pulumi: string;
  /** The built `program-hook.ts`. */
  readonly programHook: string;
  /** The environment of the CLI and of the programs, to which is added what deployments need. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends a deployment early. */
  readonly signal: AbortSignal;
}

/** What is deployed, and how. */
export interface DeploymentSettings {
  readonly program: ProgramFolder;
  readonly vmCount: number;
  /** How long each resource takes; 0 by default. */
  readonly operationMs?: number;
  /** How many operations the engine runs at once. */
  readonly parallel: number;
}

/** One `pulumi up` from nothing. */
export interface Deployment {
  /** The whole command. */
  readonly upMs: number;
  /** From the beginning of the first creation to the end of the last one. */
  readonly creationMs: number;
  readonly loadTimes: LoadTimes;
  /** The state, as it stands in its file. */
  readonly stateBytes: number;
  /** Peak memory of the engine's process; null where the system doesn't tell. */
  readonly engineKilobytes: number | null;
  /** Peak memory of the program's process. */
  readonly programKilobytes: number;
  readonly resources: readonly StateResource[];
}

const STACK_NAME = "bench";
const ON_STACK = ["--stack", STACK_NAME, "--non-interactive"];
const PASSPHRASE = "nobody needs to know";

/** For VMs that exist in a state file only. */
const ADMIN_PASSWORD = "Only-4-the-bench";

const STACK_SETTINGS = {
  location: "westeurope",
  tags: { environment: "dev", project: "azure-managed-identity-windows-vm" },
};

/**
 * Runs the real `pulumi up` on a new stack, and the program as `pulumi up` runs it: in a process of its own, with the
 * SDK's runner. Its provider does nothing but take its time.
 *
 * @throws {CommandError} when the CLI or the program fails; the signal's reason when that was aborted
 */
export async function deploy(
  { program, vmCount, operationMs = 0, parallel }: DeploymentSettings,
  surroundings: Surroundings,
): Promise<Deployment> {
  const { pulumi, signal } = surroundings;
  const closers: (() => unknown)[] = [];
  try {
    const folder = await mkdtemp(path.join(surroundings.folder, "deployment-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const provider = await startStubProvider(operationMs);
    closers.push(provider.close);
    const stateFolder = path.join(folder, "state");
    await mkdir(stateFolder);
    const env = {
      ...surroundings.env,
      PULUMI_BACKEND_URL: `file://${stateFolder.replaceAll("\\", "/")}`,
      PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
      PULUMI_HOME: path.join(surroundings.folder, "pulumi-home"),
      PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const memoryFile = path.join(folder, "peak-memory");
    const loadFile = path.join(folder, "load-times");
    const host = await startLanguageHost({
      nodePath: process.execPath,
      cwd: program.path,
      env: {
        ...env,
        // By default in the system's folder for temporary files, where it would stay.
        TS_NODE_CACHE_DIRECTORY: path.join(surroundings.folder, "ts-node-cache"),
        NODE_OPTIONS: `--require ${JSON.stringify(surroundings.programHook)}`,
        PEAK_MEMORY_FILE: memoryFile,
        LOAD_TIMES_FILE: loadFile,
      },
    });
    closers.push(host.close);
    const options: RunOptions = {
      cwd: program.path,
      env: { ...env, PULUMI_DEBUG_LANGUAGES: `nodejs:${host.port}` },
      signal,
    };
    const run = (...args: string[]) => runMeasured(pulumi, [...args, ...ON_STACK], options);

    await writeSettings(program, STACK_NAME, { ...STACK_SETTINGS, vmCount });
    await runMeasured(pulumi, ["stack", "init", STACK_NAME, "--non-interactive"], options);
    await run("config", "set", "--secret", "adminPassword", ADMIN_PASSWORD);
    const up = await run("up", "--yes", "--skip-preview", "--parallel", String(parallel));
    const stateFile = path.join(
      ...[stateFolder, ".pulumi", "stacks", PROJECT_NAME, `${STACK_NAME}.json`],
    );
    const { output } = await run("stack", "export");
    const { deployment } = JSON.parse(output) as { deployment: { resources: StateResource[] } };
    return {
      upMs: up.durationMs,
      creationMs: getSpanMs(provider.creations),
      loadTimes: JSON.parse(await readFile(loadFile, "utf8")) as LoadTimes,
      stateBytes: (await stat(stateFile)).size,
      engineKilobytes: up.peakKilobytes,
      programKilobytes: Number(await readFile(memoryFile, "utf8")),
      resources: deployment.resources,
    };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

function getSpanMs(creations: readonly Creation[]): number {
  return (
    Math.max(...creations.map(({ endedMs }) => endedMs)) -
    Math.min(...creations.map(({ startedMs }) => startedMs))
  );
}
