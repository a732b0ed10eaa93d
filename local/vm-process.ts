import { spawn } from "node:child_process";
import * as path from "node:path";
import { createInterface } from "node:readline";
import type { LocalAzure } from "./azure";
import { REPOSITORY } from "./program";

/** The built verify, as it's copied to a VM; `npm run build` makes it. */
export const VERIFY_BUNDLE = path.join(REPOSITORY, "dist", "verify.js");

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
 * @param verifyArguments what follows `node verify.js` on the VM
 * @param log takes each line that verify prints
 * @returns verify's exit code
 */
export async function runVerify(
  verifyArguments: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly log: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<number> {
  const child = spawn(process.execPath, [VERIFY_BUNDLE, ...verifyArguments], {
    env: { ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    signal: options.signal,
  });
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", options.log);
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      resolve(code ?? 1);
    });
  });
}
