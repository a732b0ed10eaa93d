import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import type { ScriptResult } from "../../local/azure";
import { runVmScript } from "../../local/vm-script";
import { createScript } from "../../verify/powershell";
import { createClients, createVmStack, startForTest } from "./azure/fixtures";

/** Tells all that a VM's process is given. */
const PROGRAM = `
  console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env }));
  console.error("on stderr");
  if (process.argv.includes("--forever")) setInterval(() => {}, 1000);
  else process.exitCode = 20;
`;

async function start() {
  const azure = await startForTest();
  const { vmId } = await createVmStack(azure, createClients(azure));
  const folder = await mkdtemp(path.join(tmpdir(), "vm-script-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const run = (
    script: string,
    values: Record<string, string> = {},
    signal = new AbortController().signal,
  ): Promise<ScriptResult> =>
    runVmScript(
      {
        vmId,
        script,
        parameters: Object.entries(values).map(([name, value]) => ({ name, value })),
        signal,
      },
      { azure, caFile: "/ca.pem", folder },
    );
  return { azure, vmId, folder, run };
}

test("verify.ps1 runs what it holds, with the VM's environment and its parameters", async () => {
  const { azure, vmId, folder, run } = await start();
  const script = `${createScript(Buffer.from(PROGRAM))}\n# identity 1`;
  const result = await run(script, { "client-id": "a-b", Wait: "0", "": "-json" });
  expect(result).toMatchObject({ exitCode: 20, error: "on stderr\n" });
  expect(JSON.parse(result.output)).toMatchObject({
    args: ["--client-id", "a-b", "--Wait", "0", "--json"],
    env: {
      AZURE_POD_IDENTITY_AUTHORITY_HOST: azure.getImdsEndpoint(vmId),
      AZURE_RESOURCE_MANAGER_ENDPOINT: azure.armEndpoint,
      NODE_EXTRA_CA_CERTS: "/ca.pem",
    },
  });
  expect(await readdir(folder)).toEqual([]);
});

test.each(["Get-Date", "# $bundle = 'H4sI'", "$bundle = 'not base64!'"])(
  "a script that isn't verify.ps1 fails: %s",
  async (script) => {
    const { run } = await start();
    expect(await run(script)).toEqual({
      exitCode: 1,
      output: "",
      error: expect.stringContaining("runs dist/verify.ps1 and no other") as string,
    });
  },
);

test("a bundle that can't be unpacked is an error", async () => {
  const { run, folder } = await start();
  const packed = gzipSync("x").toString("base64").slice(8);
  await expect(run(`$bundle = '${packed}'`)).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});

test("what still runs ends with its signal", async () => {
  const { run, folder } = await start();
  const controller = new AbortController();
  const running = run(createScript(Buffer.from(PROGRAM)), { forever: "" }, controller.signal);
  while ((await readdir(folder)).length === 0) await new Promise(setImmediate);
  controller.abort();
  await expect(running).rejects.toThrow(/abort/i);
  expect(await readdir(folder)).toEqual([]);
});
