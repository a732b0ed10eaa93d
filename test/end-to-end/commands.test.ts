import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { REPOSITORY } from "../../local/program";

/** A run of one of the project's commands, with a folder for temporary files of its own. */
interface CommandRun {
  /** Resolves when the output holds `text`. */
  readonly until: (text: string) => Promise<void>;
  readonly interrupt: () => void;
  readonly ended: Promise<{ exitCode: number | null; output: string }>;
  readonly temporaryFolder: string;
}

/** Starts `local/main.ts` as `npm start` and `npm run local` do. */
async function startCommand(...args: string[]): Promise<CommandRun> {
  const temporaryFolder = await mkdtemp(path.join(tmpdir(), "command-test-"));
  onTestFinished(() => rm(temporaryFolder, { recursive: true }));
  const child = spawn(
    process.execPath,
    ["--import", "tsx", path.join(REPOSITORY, "local", "main.ts"), ...args],
    {
      cwd: REPOSITORY,
      env: { ...process.env, TMPDIR: temporaryFolder, TEMP: temporaryFolder },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data: Buffer) => {
      output += data.toString();
      for (const listener of listeners) listener();
    });
  }
  return {
    temporaryFolder,
    interrupt: () => child.kill("SIGINT"),
    until: (text) =>
      new Promise((resolve) => {
        const listener = (): void => {
          if (output.includes(text)) resolve();
        };
        listeners.add(listener);
        listener();
      }),
    ended: new Promise((resolve) => {
      child.on("close", (exitCode) => {
        resolve({ exitCode, output });
      });
    }),
  };
}

/** What a session may leave for the next one: the caches of tsx and ts-node, and nothing else. */
async function listLeftovers({ temporaryFolder }: CommandRun): Promise<string[]> {
  return (await readdir(temporaryFolder)).filter((name) => name.startsWith("local-azure-"));
}

test("npm start tells the whole story", async () => {
  const run = await startCommand("start");
  const { exitCode, output } = await run.ended;
  expect(output).toContain("All checks passed.");
  expect(output).not.toMatch(/eyJ[\w-]+\.[\w-]+/);
  expect(exitCode).toBe(0);
  expect(await listLeftovers(run)).toEqual([]);
});

// Node on Windows can't send another process a Ctrl-C.
const testInterrupt = test.skipIf(process.platform === "win32");

testInterrupt("npm start -- --keep waits for Ctrl-C, and then destroys", async () => {
  const run = await startCommand("start", "--keep");
  await run.until("All of it runs until you press Ctrl-C");
  run.interrupt();
  const { exitCode, output } = await run.ended;
  expect(output).toContain("nothing: no resource in Azure, none in the state");
  expect(exitCode).toBe(0);
});

testInterrupt.each([
  "1. Start",
  "ResourceGroup resource-group creating",
  "3. verify",
  "5. pulumi destroy",
])("Ctrl-C at «%s» cleans up", async (moment) => {
  const run = await startCommand("start");
  await run.until(moment);
  run.interrupt();
  const { exitCode, output } = await run.ended;
  expect(output).toContain("Interrupted.");
  expect(output).not.toMatch(/^\s+at /m);
  expect(exitCode).toBe(130);
  expect(await listLeftovers(run)).toEqual([]);
});

test("npm run local -- pulumi up deploys with the default Node runtime", async () => {
  const settings = path.join(REPOSITORY, "Pulumi.dev.yaml");
  const before = await readFile(settings, "utf8");
  const run = await startCommand("run", "pulumi", "up", "--yes", "--skip-preview");
  const { exitCode, output } = await run.ended;
  expect(output).toMatch(/\+ 11 created/);
  expect(exitCode).toBe(0);
  expect(await listLeftovers(run)).toEqual([]);
  expect(await readFile(settings, "utf8")).toBe(before);
});

test.skipIf(process.platform === "win32")(
  "npm run local leaves the repository's settings alone, whatever pulumi is told",
  async () => {
    const settings = path.join(REPOSITORY, "Pulumi.dev.yaml");
    const before = await readFile(settings, "utf8");
    const run = await startCommand(
      "run",
      "sh",
      "-ec",
      "pulumi --color never -s dev config set vmSize Standard_D2s_v5; pulumi config; pulumi stack rm dev --yes",
    );
    const { exitCode, output } = await run.ended;
    expect(output).toContain("Standard_D2s_v5");
    expect(output).toContain("has been removed");
    expect(exitCode).toBe(0);
    expect(await readFile(settings, "utf8")).toBe(before);
  },
);

test("npm run local gives a command the way to Resource Manager, and passes on its exit code", async () => {
  const run = await startCommand(
    "run",
    process.execPath,
    "--eval",
    `fetch(
      process.env.AZURE_RESOURCE_MANAGER_ENDPOINT + "/subscriptions/" + process.env.AZURE_SUBSCRIPTION_ID +
      "/resourcegroups?api-version=2021-04-01",
      { headers: { Authorization: "Bearer " + process.env.ARM_TOKEN } },
    ).then(async (response) => {
      console.log(response.status, await response.text());
      process.exit(7);
    });`,
  );
  const { exitCode, output } = await run.ended;
  expect(output).toContain('200 {"value":[]}');
  expect(exitCode).toBe(7);
});

test.each([
  { args: ["start", "--help"], exitCode: 0, text: "Usage: npm start" },
  { args: ["start", "--kep"], exitCode: 2, text: "--kep" },
  { args: ["run", "--help"], exitCode: 0, text: "Usage: npm run local" },
  { args: ["run"], exitCode: 2, text: "No command" },
  { args: ["strat"], exitCode: 2, text: "npm start" },
  { args: ["run", "no-such-command"], exitCode: 127, text: "no-such-command" },
])("$args ends with exit code $exitCode", async ({ args, exitCode, text }) => {
  const run = await startCommand(...args);
  const ended = await run.ended;
  expect(ended.output).toContain(text);
  expect(ended.output).not.toMatch(/^\s+at /m);
  expect(ended.exitCode).toBe(exitCode);
});
