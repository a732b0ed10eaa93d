import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import type { LocalAzure, ScriptRequest, ScriptResult } from "./azure";
import { collectOutput, getVmEnvironment } from "./vm-process";

/** The line of `dist/verify.ps1` that holds verify: one file for Node, gzipped, in base64. */
const BUNDLE_LINE = /^\$bundle = '([A-Za-z0-9+/]+=*)'\r?$/m;

/** What {@link runVmScript} needs. */
export interface VmScriptOptions {
  readonly azure: LocalAzure;
  /** The file with the trust anchor of the local Resource Manager. */
  readonly caFile: string;
  /** Where verify is unpacked to while it runs. */
  readonly folder: string;
}

/**
 * Does what `dist/verify.ps1` does on a VM: unpacks the verify that the script holds, and runs it with
 * the script's parameters, with the Node of this process in place of the VM's. There is no PowerShell
 * here, so that any other script fails and says so.
 */
export async function runVmScript(
  request: ScriptRequest,
  { azure, caFile, folder }: VmScriptOptions,
): Promise<ScriptResult> {
  const [, bundle] = BUNDLE_LINE.exec(request.script) ?? [];
  if (bundle === undefined) {
    const error = "The local Azure has no PowerShell: it runs dist/verify.ps1 and no other script.";
    return { exitCode: 1, output: "", error };
  }
  await mkdir(folder, { recursive: true });
  // .cjs and a new name each, as in verify.ps1.
  const file = path.join(folder, `${randomUUID()}.cjs`);
  await writeFile(file, gunzipSync(Buffer.from(bundle, "base64")));
  try {
    return await collectOutput({
      file,
      args: toVerifyArguments(request.parameters),
      env: getVmEnvironment(azure, request.vmId, caFile),
      signal: request.signal,
    });
  } finally {
    await rm(file, { force: true });
  }
}

/** Run Command gives a parameter as `-name value`, of which verify.ps1 makes `--name value`. */
function toVerifyArguments(parameters: ScriptRequest["parameters"]): string[] {
  return parameters
    .flatMap(({ name, value }) => (name === "" ? [value] : [`-${name}`, value]))
    .map((text) => text.replace(/^-(?=[a-z]{2})/i, "--"));
}
