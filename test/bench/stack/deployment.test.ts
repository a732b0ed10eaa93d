import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { bundleForNode } from "../../../bench/node-bundle";
import { getDepths } from "../../../bench/stack/critical-path";
import { deploy, type Surroundings } from "../../../bench/stack/deployment";
import { copyProgram, MINIMAL, type ProgramFolder } from "../../../bench/stack/program-folder";
import { REPOSITORY } from "../../../local/program";
import { getPulumiCommand, PULUMI_VERSION } from "../../../local/pulumi-cli";

/** A copy of the minimal program, and what deploys it; gone after the test. */
async function prepare(
  signal: AbortSignal,
): Promise<{ program: ProgramFolder; surroundings: Surroundings }> {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-stack-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { command: pulumi } = await getPulumiCommand({
    ...{ version: PULUMI_VERSION, env: process.env, log: console.log },
  });
  const programHook = await bundleForNode(
    path.join(REPOSITORY, "bench", "stack", "program-hook.ts"),
    path.join(folder, "program-hook.js"),
  );
  const env = { ...process.env, PULUMI_NODEJS_TRANSPILE_ONLY: "true" };
  const program = await copyProgram(MINIMAL, path.join(folder, "minimal"));
  return { program, surroundings: { folder, pulumi, programHook, env, signal } };
}

it("measures a real deployment, and leaves nothing of it", async () => {
  const { program, surroundings } = await prepare(new AbortController().signal);
  const operationMs = 300;
  const deployment = await deploy({ program, vmCount: 1, operationMs, parallel: 8 }, surroundings);
  // The group, then the others, then the role, which waits for the identity.
  expect(getDepths(deployment.resources).sort()).toEqual([1, 2, 2, 2, 3]);
  expect(deployment.creationMs).toBeGreaterThanOrEqual(3 * operationMs - 5);
  expect(deployment.upMs).toBeGreaterThan(deployment.creationMs);
  expect(deployment.stateBytes).toBeGreaterThan(5_000);
  expect(deployment.programKilobytes).toBeGreaterThan(80_000);
  expect(deployment.loadTimes.indexMs).toBeGreaterThan(10);
  expect(deployment.loadTimes.fromStartMs).toBeGreaterThan(deployment.loadTimes.indexMs);
  if (process.platform === "linux") {
    // The engine's own is about 120 MB, and this process's more than that of the program above.
    expect(deployment.engineKilobytes).toBeGreaterThan(50_000);
  }
  expect((await readdir(surroundings.folder)).filter((name) => /^deploy/.test(name))).toEqual([]);
});

it("ends early, and leaves nothing of it", async () => {
  const interrupted = new AbortController();
  const { program, surroundings } = await prepare(interrupted.signal);
  const deploying = deploy({ program, vmCount: 1, operationMs: 60_000, parallel: 8 }, surroundings);
  setTimeout(() => {
    interrupted.abort(new Error("enough"));
  }, 2_000);
  await expect(deploying).rejects.toThrow("enough");
  expect((await readdir(surroundings.folder)).filter((name) => /^deploy/.test(name))).toEqual([]);
});
