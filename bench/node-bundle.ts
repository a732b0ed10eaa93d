import { build, type BuildOptions } from "esbuild";
import { BUNDLE_OPTIONS } from "../verify/bundle";

/** Bundles a TypeScript file for Node with the settings that verify's bundle has, and returns the bundle's file. */
export async function bundleForNode(
  entryPoint: string,
  outfile: string,
  options: BuildOptions = {},
): Promise<string> {
  await build({
    entryPoints: [entryPoint],
    outfile,
    ...BUNDLE_OPTIONS,
    ...options,
  });
  return outfile;
}
