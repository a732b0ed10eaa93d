import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { credentials, status } from "@grpc/grpc-js";
import type { PulumiCommand } from "@pulumi/pulumi/automation";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb";
import { AboutRequest, RunRequest } from "@pulumi/pulumi/proto/language_pb";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { getPulumiCommand, PULUMI_VERSION, startLanguageHost } from "../../../local/pulumi-cli";
import { isRunning, makeFolder, readPid, waitUntilEnded } from "./fixtures";

/** Where the CLI has to be built first, that takes minutes. */
const GET_CLI_TIMEOUT_MS = 1_200_000;
const TEST_TIMEOUT_MS = 60_000;

const NODE_MODULES = resolve(__dirname, "../../../node_modules");

let pulumi: PulumiCommand;
beforeAll(async () => {
  pulumi = await getPulumiCommand({
    version: PULUMI_VERSION,
    env: process.env,
    log: (line) => {
      process.stderr.write(`${line}\n`);
    },
  });
}, GET_CLI_TIMEOUT_MS);

/** A project with a file backend, its language host, and a stack called dev. */
async function prepare({ program, runtime = "nodejs" }: { program: string; runtime?: string }) {
  const folder = makeFolder();
  const project = join(folder, "project");
  const pidFile = join(folder, "pid");
  for (const name of ["project", "state", "home"]) mkdirSync(join(folder, name));
  symlinkSync(NODE_MODULES, join(project, "node_modules"), "junction");
  const compilerOptions = { module: "nodenext", types: ["node"], strict: true };
  const files = {
    "Pulumi.yaml": `name: host-test\nruntime: ${runtime}\n`,
    "package.json": JSON.stringify({ name: "host-test", main: "index.ts" }),
    "tsconfig.json": JSON.stringify({
      compilerOptions: { ...compilerOptions, skipLibCheck: true },
    }),
    "index.ts": program,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);

  const env = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_HOME: join(folder, "home"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PID_FILE: pidFile,
  };
  const host = await startLanguageHost({ nodePath: process.execPath, env, cwd: project });
  onTestFinished(() => host.close());

  const options = {
    cwd: project,
    env: { ...env, PULUMI_DEBUG_LANGUAGES: `nodejs:${host.port}` },
  };
  /** Runs the CLI; fails with its exit code and output. */
  const run = async (...args: string[]): Promise<string> =>
    (await promisify(execFile)(pulumi.command, [...args, "--non-interactive"], options)).stdout;
  /** Starts the CLI. */
  const start = (...args: string[]): ChildProcess =>
    spawn(pulumi.command, [...args, "--non-interactive"], { ...options, stdio: "ignore" });
  await run("stack", "init", "dev");
  return { host, pidFile, run, start };
}

const ENDLESS_PROGRAM = `
  import { writeFileSync, renameSync } from "node:fs";
  const file = process.env.PID_FILE ?? "";
  writeFileSync(file + ".part", String(process.pid));
  renameSync(file + ".part", file);
  setInterval(() => undefined, 1000);
  export {};
`;

describe("startLanguageHost with the real CLI", () => {
  test(
    "previews, deploys and destroys a TypeScript program with its settings",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const { run } = await prepare({
        program: `
        import * as pulumi from "@pulumi/pulumi";
        const config = new pulumi.Config();
        console.log("printed by the program");
        export const where = [pulumi.getProject(), pulumi.getStack(), pulumi.getOrganization()].join("/");
        export const dryRun = pulumi.runtime.isDryRun();
        export const greeting = config.require("greeting");
        export const token = config.requireSecret("token");
        export const folder = process.cwd().endsWith("project");
        export const secretKeys = process.env.PULUMI_CONFIG_SECRET_KEYS;
        export const typeScript = process.env.PULUMI_NODEJS_TYPESCRIPT;
      `,
      });
      await run("config", "set", "greeting", "hello world");
      await run("config", "set", "--secret", "token", "s3cret");

      const preview = await run("preview");
      expect(preview).toContain("printed by the program");
      expect(preview).toMatch(/dryRun\s*: true/);
      expect(preview).not.toContain("s3cret");

      await run("up", "--yes", "--skip-preview");
      const outputs = JSON.parse(
        await run("stack", "output", "--json", "--show-secrets"),
      ) as object;
      expect(outputs).toEqual({
        where: "host-test/dev/organization",
        dryRun: false,
        greeting: "hello world",
        token: "s3cret",
        folder: true,
        secretKeys: '["host-test:token"]',
        typeScript: "true",
      });
      expect(await run("stack", "output", "--json")).not.toContain("s3cret");

      expect(await run("destroy", "--yes")).toContain("1 deleted");
    },
  );

  test(
    "gives Node the arguments of the runtime option nodeargs",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const { run } = await prepare({
        program: "export const limits = [Error.stackTraceLimit, process.execArgv.length];",
        runtime: '{name: nodejs, options: {nodeargs: "--stack-trace-limit=3 --no-warnings"}}',
      });

      await run("up", "--yes", "--skip-preview");

      expect(JSON.parse(await run("stack", "output", "--json"))).toEqual({ limits: [3, 2] });
    },
  );

  test(
    "fails once, with the program's own error, when the program throws",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const { run } = await prepare({ program: 'throw new Error("failed on purpose");' });

      const error = await run("up", "--yes", "--skip-preview").catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: expect.any(Number) as number });
      const { stdout } = error as { stdout: string };
      expect(stdout).toContain("Error: failed on purpose");
      expect(stdout).toContain("1 errored");
      expect(stdout).not.toContain("exit code");
    },
  );

  test(
    "tells the exit code of a program that ends by itself",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const { run } = await prepare({ program: "process.exit(7); export {};" });

      const error = await run("up", "--yes", "--skip-preview").catch((reason: unknown) => reason);

      expect((error as { stdout: string }).stdout).toContain(
        "Program exited with non-zero exit code: 7",
      );
    },
  );

  test.each([
    { signal: "SIGINT", program: ENDLESS_PROGRAM },
    { signal: "SIGKILL", program: ENDLESS_PROGRAM },
    { signal: "SIGINT", program: `${ENDLESS_PROGRAM} process.on("SIGINT", () => undefined);` },
  ] as const)(
    "ends the program when the CLI gets $signal ($#)",
    { timeout: TEST_TIMEOUT_MS },
    async ({ signal, program }) => {
      const { pidFile, start } = await prepare({ program });
      const cli = start("up", "--yes", "--skip-preview");
      const exited = once(cli, "exit");
      const pid = await readPid(pidFile);
      expect(isRunning(pid)).toBe(true);

      cli.kill(signal);

      await exited;
      await waitUntilEnded(pid);
    },
  );

  test(
    "ends the programs that still run when it is closed",
    { timeout: TEST_TIMEOUT_MS },
    async () => {
      const { host, pidFile, start } = await prepare({ program: ENDLESS_PROGRAM });
      const cli = start("up", "--yes", "--skip-preview");
      const exited = once(cli, "exit");
      const pid = await readPid(pidFile);

      await host.close();

      expect(isRunning(pid)).toBe(false);
      expect((await exited)[0]).not.toBe(0);
    },
  );
});

describe("startLanguageHost", () => {
  async function connect() {
    const host = await startLanguageHost({ nodePath: process.execPath, env: {}, cwd: __dirname });
    const client = new LanguageRuntimeClient(
      `127.0.0.1:${host.port}`,
      credentials.createInsecure(),
    );
    onTestFinished(async () => {
      client.close();
      await host.close();
    });
    return client;
  }

  test("answers UNIMPLEMENTED to a call it doesn't know", async () => {
    const client = await connect();
    const code = await new Promise((resolve) => {
      client.about(new AboutRequest(), (error) => {
        resolve(error?.code);
      });
    });
    expect(code).toBe(status.UNIMPLEMENTED);
  });

  test("refuses to run a program for an engine that did not shake hands", async () => {
    const client = await connect();
    const code = await new Promise((resolve) => {
      client.run(new RunRequest(), (error) => {
        resolve(error?.code);
      });
    });
    expect(code).toBe(status.FAILED_PRECONDITION);
  });
});
