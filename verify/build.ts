/** `npm run build`: makes `dist/verify.js`. */
import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { buildBundle } from "./bundle";

async function main(): Promise<void> {
  const outfile = join(__dirname, "..", "dist", "verify.js");
  await buildBundle(outfile);
  const kilobytes = (bytes: number) => `${(bytes / 1_000).toFixed(0)} KB`;
  const gzipped = gzipSync(readFileSync(outfile)).length;
  console.log(
    `${relative(process.cwd(), outfile)}: ${kilobytes(statSync(outfile).size)}, ${kilobytes(gzipped)} gzipped`,
  );
}

void main();
