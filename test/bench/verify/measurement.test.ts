import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { bundleForNode } from "../../../bench/node-bundle";
import { measurePeers, PeerError, type Measurement } from "../../../bench/verify/measurement";
import type { BuiltPeer } from "../../../bench/verify/peers";
import { createBenchVm } from "../../../bench/verify/virtual-machine";
import { REPOSITORY } from "../../../local/program";
import { startLocalAzure } from "../../../local/azure";

const TOKEN_REQUEST = `fetch(process.env.AZURE_POD_IDENTITY_AUTHORITY_HOST +
  "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com" +
  "&client_id=" + process.env.AZURE_CLIENT_ID, { headers: { Metadata: "true" } })`;

let measure: (program: string, requestCount: number) => Promise<Measurement[]>;

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-test-"));
  const azure = await startLocalAzure();
  const vm = await createBenchVm(azure);
  const caFile = path.join(folder, "ca.pem");
  await writeFile(caFile, azure.caCertificate);
  const memoryHook = await bundleForNode(
    path.join(REPOSITORY, "bench", "peak-memory-hook.ts"),
    path.join(folder, "peak-memory-hook.js"),
  );
  const file = path.join(folder, "program.js");
  measure = async (program, requestCount) => {
    await writeFile(file, program);
    const peer: BuiltPeer = {
      ...{ name: "verify", title: "the program", build: () => Promise.resolve(file) },
      ...{ file, requestCount, isOneFile: true, isForNode: true, sizes: undefined },
    };
    return measurePeers({
      ...{ azure, vm, caFile, folder, memoryHook, peers: [peer], rounds: 2 },
      log: () => undefined,
      signal: new AbortController().signal,
    });
  };
  return async () => {
    await azure.close();
    await rm(folder, { recursive: true });
  };
});

it("times each round", async () => {
  const [measurement] = await measure(TOKEN_REQUEST, 1);
  expect(measurement?.durationsMs).toHaveLength(2);
  expect(Math.min(...(measurement?.durationsMs ?? []))).toBeGreaterThan(5);
});

it("measures the memory of the program, and not of this process, which is larger", async () => {
  const ballast = Buffer.alloc(200_000_000, 1);
  const [measurement] = await measure(`Buffer.alloc(50_000_000, 1); ${TOKEN_REQUEST}`, 1);
  expect(Math.min(...(measurement?.peakKilobytes ?? []))).toBeGreaterThan(80_000);
  expect(Math.max(...(measurement?.peakKilobytes ?? []))).toBeLessThan(ballast.length / 1_000);
});

it.each([
  ["leaves a request out", "", 1, /token 200\nIt made these:\n {2}none$/],
  ["makes a request too many", `${TOKEN_REQUEST}.then(() => ${TOKEN_REQUEST})`, 1, /made these/],
  [
    "is refused",
    TOKEN_REQUEST.replace("Metadata", "Other"),
    1,
    /made these:\n {2}imds .*token 400$/,
  ],
  ["fails", `console.error("out of luck"); process.exit(3)`, 0, /ended with 3\.\nout of luck/],
])("a program that %s is an error", async (_, program, requestCount, message) => {
  const measuring = measure(program, requestCount);
  await expect(measuring).rejects.toThrow(message);
  await expect(measuring).rejects.toBeInstanceOf(PeerError);
});
