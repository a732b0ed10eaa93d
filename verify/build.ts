/** `npm run build`: makes `dist/verify.js`, and `dist/verify.ps1` with the same inside. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { buildBundle } from "./bundle";
import { createScript } from "./powershell";

const DIST = join(__dirname, "..", "dist");

async function main(): Promise<void> {
  const bundleFile = join(DIST, "verify.js");
  await buildBundle(bundleFile);
  const bundle = readFileSync(bundleFile);
  const gzipped = formatSize(gzipSync(bundle).length);
  console.log(`${toLabel(bundleFile)}: ${formatSize(bundle.length)}, ${gzipped} gzipped`);

  const scriptFile = join(DIST, "verify.ps1");
  const script = createScript(bundle);
  writeFileSync(scriptFile, script);
  console.log(`${toLabel(scriptFile)}: ${formatSize(script.length)}`);
}

function toLabel(file: string): string {
  return relative(process.cwd(), file);
}

function formatSize(bytes: number): string {
  return `${(bytes / 1_000).toFixed(0)} KB`;
}

void main();
