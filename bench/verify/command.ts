import { readCount, type Benchmark } from "../benchmark";
import { benchmarkVerify } from "./benchmark";
import { formatResult } from "./table";

/** `npm run bench -- verify` */
export const VERIFY_BENCHMARK: Benchmark = {
  name: "verify",
  summary: [
    "start to end of verify, against a dependency-free script, axios and the Azure SDK, which make",
    "the same requests to an Azure on this machine; takes about ten seconds",
  ],
  options: { rounds: { type: "string", default: "15" }, go: { type: "boolean", default: false } },
  optionsHelp: [
    "--rounds <n>        how often each is timed, 15 by default",
    "--go                beside the Go SDK too; needs Go ≥ 1.25, and takes up to a minute to build",
  ],
  prepare: ({ rounds, go }) => {
    const options = { rounds: readCount("rounds", rounds), withGo: go === true };
    return async (surroundings) => {
      const result = await benchmarkVerify({ ...options, ...surroundings });
      return { result, lines: formatResult(result), targets: result.targets };
    };
  },
};
