/**
 * Preloaded into a program that `pulumi up` runs: besides its peak memory, writes its {@link LoadTimes} to the file that
 * LOAD_TIMES_FILE names.
 */
import { writeFileSync } from "node:fs";
import Module from "node:module";
import * as path from "node:path";
import "../peak-memory-hook";

/** How long a program took to load. */
export interface LoadTimes {
  /** From the start of its process until its `index.ts` was through: with Node, the SDK and TypeScript. */
  readonly fromStartMs: number;
  /** The same as time of the processor, which a busy machine disturbs less. */
  readonly fromStartCpuMs: number;
  /** Its `index.ts` alone, with the modules that it imports and the resources that it declares. */
  readonly indexMs: number;
}

/** Every `require` goes through it. Node doesn't document it, but has not changed it in ten years. */
const loader = Module as unknown as {
  _load: (request: string, ...more: unknown[]) => unknown;
};

const load = loader._load;
loader._load = function (request, ...more) {
  // The SDK's runner has changed to the program's folder by then.
  if (request !== path.resolve("index.ts")) return load.call(this, request, ...more);
  loader._load = load;
  const startedMs = performance.now();
  const loaded = load.call(this, request, ...more);
  const endedMs = performance.now();
  const { user, system } = process.cpuUsage();
  const times: LoadTimes = {
    fromStartMs: endedMs,
    fromStartCpuMs: (user + system) / 1_000,
    indexMs: endedMs - startedMs,
  };
  writeFileSync(process.env.LOAD_TIMES_FILE ?? "", JSON.stringify(times));
  return loaded;
};
