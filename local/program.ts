import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { register } from "tsx/cjs/api";

/** The repository: where `Pulumi.yaml`, `Pulumi.dev.yaml` and `index.ts` stand. */
export const REPOSITORY = path.join(__dirname, "..");

/**
 * Runs the repository's `index.ts`, unchanged, as a Pulumi program would run: the program of an inline
 * stack of the Automation API.
 *
 * @returns the stack's outputs: what `index.ts` exports
 */
export function runIndexTs(): Record<string, unknown> {
  // A namespace of its own makes tsx load the program's files anew, so that it can run again in this process.
  const loader = register({ namespace: randomUUID() });
  try {
    return loader.require(path.join(REPOSITORY, "index.ts"), __filename) as Record<string, unknown>;
  } finally {
    loader.unregister();
  }
}
