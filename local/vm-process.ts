import { type ChildProcessByStdio, spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { LocalAzure } from "./azure";
import { REPOSITORY } from "./program";

/** The built verify, as it's copied to a VM; `npm run build` makes it. */
const VERIFY_BUNDLE = path.join(REPOSITORY, "dist", "verify.js");

/**
 * What a process on a VM of the local Azure needs in its environment: where the VM's metadata service
 * and Resource Manager are, since here they aren't at Azure's addresses, and whom to trust. On Azure, a
 * VM needs none of it.
 *
 * @param vmId the resource id of the VM
 * @param caFile the file with the trust anchor of the local Resource Manager
 * @throws {Error} when there is no such VM, or it isn't running
 */
export function getVmEnvironment(
  azure: LocalAzure,
  vmId: string,
  caFile: string,
): Record<string, string> {
  return {
    AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.getImdsEndpoint(vmId),
    AZURE_RESOURCE_MANAGER_ENDPOINT: azure.armEndpoint,
    NODE_EXTRA_CA_CERTS: caFile,
  };
}

/**
 * Runs the built verify as a process of its own that has nothing but a VM's environment.
 *
 * @returns verify's exit code
 */
export async function runVerify(options: {
  /** The stack's output verifyCommand; further arguments may follow it. */
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  /** Takes each line that verify prints. */
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}): Promise<number> {
  // Behind `node verify.js`, for which the pinned Node and the built file stand here.
  const verifyArguments = options.command.split(" ").slice(2);
  const child = start({ ...options, file: VERIFY_BUNDLE, args: verifyArguments });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", options.log);
  }
  return waitForExit(child);
}

/** A JavaScript file that a VM is to run. */
export interface VmProcess {
  readonly file: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a JavaScript file as a process of its own that has nothing but a VM's environment.
 *
 * @returns its exit code, and all that it wrote to its two streams
 */
export async function collectOutput(
  options: VmProcess,
): Promise<{ exitCode: number; output: string; error: string }> {
  const child = start(options);
  const [exitCode, output, error] = await Promise.all([
    waitForExit(child),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { exitCode, output, error };
}

type VmChildProcess = ChildProcessByStdio<null, Readable, Readable>;

function start({ file, args, env, signal }: VmProcess): VmChildProcess {
  return spawn(process.execPath, [file, ...args], {
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
}

function waitForExit(child: VmChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    child.on("error", (error) => {
      // A process that was aborted has yet to end.
      if (child.pid === undefined) reject(error);
      failure = error;
    });
    child.on("close", (code) => {
      if (failure === undefined) resolve(code ?? 1);
      else reject(failure);
    });
  });
}
