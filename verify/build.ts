/** `npm run build`: makes `dist/verify.js`. */
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { buildBundle } from "./bundle";

async function main(): Promise<void> {
  const outfile = join(__dirname, "..", "dist", "verify.js");
  await buildBundle(outfile);
  const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(0)} KB`;
  const content = readFileSync(outfile);
  const sizes = `${kilobytes(content.length)}, ${kilobytes(gzipSync(content).length)} gzipped`;
  console.log(`${relative(process.cwd(), outfile)}: ${sizes}`);
}

void main();
