import { readCount, UsageError, type Benchmark } from "../benchmark";
import { benchmarkStack } from "./benchmark";
import { formatResult } from "./table";

/** `npm run bench -- stack` */
export const STACK_BENCHMARK: Benchmark = {
  name: "stack",
  summary: [
    "pulumi up of this stack on the real engine: against the critical path of its graph, against a bare",
    "loop as VMs are added, and loading and type check against a minimal program; takes four minutes",
  ],
  options: {
    vms: { type: "string", default: "1,10,50,200" },
    rounds: { type: "string", default: "5" },
    "operation-ms": { type: "string", default: "1000" },
  },
  optionsHelp: [
    "--vms <n,n,…>       how many VMs, growing; 1,10,50,200 by default, of which 200 takes half the time",
    "--rounds <n>        how often the program is loaded and type-checked, 5 by default",
    "--operation-ms <n>  how long each operation takes beside the critical path, 1000 by default",
  ],
  prepare: ({ vms, rounds, "operation-ms": operationMs }) => {
    const options = {
      vmCounts: readVmCounts(vms),
      rounds: readCount("rounds", rounds),
      operationMs: readCount("operation-ms", operationMs),
    };
    return async (surroundings) => {
      const result = await benchmarkStack({ ...options, ...surroundings });
      return { result, lines: formatResult(result), targets: result.targets };
    };
  },
};

function readVmCounts(value: unknown): number[] {
  const vmCounts = String(value)
    .split(",")
    .map((count) => readCount("vms", count));
  const isGrowing = vmCounts.every((count, index) => count > (vmCounts[index - 1] ?? 0));
  if (!isGrowing) throw new UsageError(`--vms must be growing numbers, not ${String(value)}.`);
  return vmCounts;
}
