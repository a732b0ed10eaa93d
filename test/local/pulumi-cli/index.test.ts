import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { describe, expect, test, vi } from "vitest";

import { getPulumiCommand, hasNodeLanguageHost, PulumiCliError } from "../../../local/pulumi-cli";
import type { CliSource } from "../../../local/pulumi-cli/cache";
import { goBuild } from "../../../local/pulumi-cli/go-build";
import {
  ENDLESS_SCRIPT,
  makeFolder,
  NO_SHELL_SCRIPTS,
  readPid,
  waitUntilEnded,
  writeFakeCli,
  writeScript,
} from "./fixtures";

const VERSION = "3.259.0";

/** A machine with an empty `PATH` and an empty cache, and a source that works at once. */
function prepare() {
  const folder = makeFolder();
  const bin = join(folder, "installed", "bin");
  const cache = join(folder, "cache");
  const entry = join(cache, `v${VERSION}`);
  const lines: string[] = [];
  const fill = vi.fn<CliSource["fill"]>((root, { version }) => {
    writeFakeCli(join(root, "bin", "pulumi"), `v${version}`);
    return Promise.resolve();
  });
  const settings = {
    version: VERSION,
    env: { PATH: bin, PULUMI_CLI_CACHE: cache },
    log: (line: string) => lines.push(line),
    sources: [{ name: "fake source", fill }],
  };
  return { folder, bin, cache, entry, cached: join(entry, "bin", "pulumi"), lines, fill, settings };
}

describe.skipIf(NO_SHELL_SCRIPTS)("getPulumiCommand", () => {
  test.each(["v3.259.0", "3.259.0", "v3.260.0", "v3.300.1"])(
    "takes version %s from PATH",
    async (version) => {
      const { bin, cache, fill, settings } = prepare();
      const installed = writeFakeCli(join(bin, "pulumi"), version);

      const command = await getPulumiCommand(settings);

      expect(command.command).toBe(installed);
      expect(command.version?.version).toBe(version.replace("v", ""));
      expect(fill).not.toHaveBeenCalled();
      expect(existsSync(cache)).toBe(false);
    },
  );

  test.each([
    { why: "older", body: "echo v3.258.9", reason: "its version is 3.258.9" },
    { why: "of the next major version", body: "echo v4.0.0", reason: "its version is 4.0.0" },
    { why: "a prerelease", body: "echo v3.259.0-alpha.1", reason: "3.259.0-alpha.1" },
    { why: "without a version", body: "echo hello", reason: "printed no version" },
    { why: "broken", body: "echo bad library >&2; exit 127", reason: "ended with 127" },
  ])("passes by a pulumi on PATH that is $why", async ({ body, reason }) => {
    const { bin, cached, lines, settings } = prepare();
    const installed = writeScript(join(bin, "pulumi"), body);

    const command = await getPulumiCommand(settings);

    expect(command.command).toBe(cached);
    expect(lines[0]).toContain(`${installed} is not used: `);
    expect(lines[0]).toContain(reason);
  });

  test("follows a link on PATH to the installation's bin folder", async () => {
    const { folder, bin, settings } = prepare();
    const installed = writeFakeCli(join(bin, "pulumi"), "v3.260.0");
    const links = join(folder, "links");
    mkdirSync(links);
    symlinkSync(installed, join(links, "pulumi"));

    const command = await getPulumiCommand({ ...settings, env: { ...settings.env, PATH: links } });

    expect(command.command).toBe(realpathSync(installed));
  });

  test("passes by one on PATH that the Automation API can't take", async () => {
    const { folder, cached, lines, settings } = prepare();
    writeFakeCli(join(folder, "shims", "pulumi"), "v3.260.0");
    const env = { ...settings.env, PATH: join(folder, "shims") };

    const command = await getPulumiCommand({ ...settings, env });

    expect(command.command).toBe(cached);
    expect(lines[0]).toContain("not in a folder called bin");
  });

  test("fills the cache once, then takes it from there", async () => {
    const { cached, entry, fill, lines, settings } = prepare();

    const first = await getPulumiCommand(settings);
    // A full entry needs no lock: this one, held by someone else, would make it wait.
    mkdirSync(`${entry}.lock`);
    const second = await getPulumiCommand(settings);

    expect([first.command, second.command]).toEqual([cached, cached]);
    expect(second.version?.version).toBe(VERSION);
    expect(fill).toHaveBeenCalledTimes(1);
    expect(lines).toEqual([]);
  });

  test.each([
    { why: "half-finished", body: undefined },
    { why: "of another version", body: "echo v3.200.0" },
    { why: "broken", body: "exit 1" },
    { why: "cut short", body: "" },
  ])("replaces a cache entry that is $why", async ({ body }) => {
    const { cached, entry, fill, lines, settings } = prepare();
    mkdirSync(join(entry, "bin"), { recursive: true });
    writeFileSync(join(entry, "rest"), "");
    if (body !== undefined) writeScript(cached, body);
    if (body === "") truncateSync(cached);

    const command = await getPulumiCommand(settings);

    expect(command.version?.version).toBe(VERSION);
    expect(fill).toHaveBeenCalledTimes(1);
    expect(readdirSync(entry)).toEqual(["bin"]);
    expect(lines[0]).toContain("in the cache does not work and is replaced");
  });

  test("clears up after a run that was killed: its lock and its half-filled folder", async () => {
    const { cache, entry, fill, settings } = prepare();
    mkdirSync(`${entry}.tmp-abcdef/bin`, { recursive: true });
    mkdirSync(`${entry}.lock`);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(`${entry}.lock`, anHourAgo, anHourAgo);

    await getPulumiCommand(settings);

    expect(fill).toHaveBeenCalledTimes(1);
    expect(readdirSync(cache)).toEqual([`v${VERSION}`]);
  });

  test("does the work once when two ask at the same time", async () => {
    const { cached, fill, lines, settings } = prepare();
    const started = Promise.withResolvers<undefined>();
    const release = Promise.withResolvers<undefined>();
    const work = fill.getMockImplementation();
    fill.mockImplementation(async (root, context) => {
      started.resolve(undefined);
      await release.promise;
      await work?.(root, context);
    });

    const first = getPulumiCommand(settings);
    await started.promise;
    const second = getPulumiCommand(settings);
    await vi.waitFor(() => {
      expect(lines).toContain("Waiting for another run that is getting the Pulumi CLI");
    });
    release.resolve(undefined);

    const commands = await Promise.all([first, second]);
    expect(commands.map(({ command }) => command)).toEqual([cached, cached]);
    expect(fill).toHaveBeenCalledTimes(1);
  });

  test("goes on to the next source when one fails or gives a CLI that does not work", async () => {
    const { cache, fill, lines, settings } = prepare();
    const failing = { name: "first", fill: () => Promise.reject(new PulumiCliError("no", "so")) };
    const wrong: CliSource = {
      name: "second",
      fill: (root) => {
        writeFakeCli(join(root, "bin", "pulumi"), "v3.1.0");
        return Promise.resolve();
      },
    };

    await getPulumiCommand({ ...settings, sources: [failing, wrong, ...settings.sources] });

    expect(fill).toHaveBeenCalledTimes(1);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe("The first did not work: no. so");
    expect(lines[1]).toMatch(
      /^The second did not work: .* has version 3\.1\.0 instead of 3\.259\.0/,
    );
    expect(readdirSync(cache)).toEqual([`v${VERSION}`]);
  });

  test("names all that was tried, why it failed and what to install when nothing works", async () => {
    const { bin, cache, settings } = prepare();
    writeFakeCli(join(bin, "pulumi"), "v3.0.0");
    const failing = { name: "first", fill: () => Promise.reject(new PulumiCliError("no", "so")) };

    const error = await getPulumiCommand({ ...settings, sources: [failing, goBuild] }).catch(
      (reason: unknown) => reason,
    );

    expect(error).toBeInstanceOf(PulumiCliError);
    const { message, hint } = error as PulumiCliError;
    expect(message).toMatch(/- PATH: .*its version is 3\.0\.0/);
    expect(message).toContain("- first: no. so");
    expect(message).toContain("- build with Go: ");
    expect(hint).toContain("https://www.pulumi.com/docs/install/");
    expect(readdirSync(cache)).toEqual([]);
  });

  test("does not take an unexpected error for a source that does not work here", async () => {
    const { cache, settings } = prepare();
    const bug = new TypeError("a bug");
    const sources = [{ name: "x", fill: () => Promise.reject(bug) }, ...settings.sources];

    await expect(getPulumiCommand({ ...settings, sources })).rejects.toBe(bug);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("leaves no process, no lock and no half-filled entry when aborted during a build", async () => {
    const { folder, bin, cache, settings } = prepare();
    writeScript(join(bin, "go"), ENDLESS_SCRIPT);
    const PID_FILE = join(folder, "pid");
    const abort = new AbortController();
    const reason = new Error("Ctrl-C");

    const command = getPulumiCommand({
      ...settings,
      env: { ...settings.env, PATH: `${bin}:/usr/bin:/bin`, PID_FILE },
      sources: [goBuild, ...settings.sources],
      signal: abort.signal,
    });
    const pid = await readPid(PID_FILE);
    abort.abort(reason);

    await expect(command).rejects.toBe(reason);
    expect(readdirSync(cache)).toEqual([]);
    await waitUntilEnded(pid);
  });

  test("stops waiting for another run when aborted", async () => {
    const { entry, lines, fill, settings } = prepare();
    mkdirSync(`${entry}.lock`, { recursive: true });
    const abort = new AbortController();
    const reason = new Error("Ctrl-C");

    const command = getPulumiCommand({ ...settings, signal: abort.signal });
    await vi.waitFor(() => {
      expect(lines).toHaveLength(1);
    });
    abort.abort(reason);

    await expect(command).rejects.toBe(reason);
    expect(existsSync(`${entry}.lock`)).toBe(true);
    expect(fill).not.toHaveBeenCalled();
  });

  test("asks for another cache folder where it can't write", async () => {
    const { folder, settings } = prepare();
    writeFileSync(join(folder, "file"), "");
    const env = { ...settings.env, PULUMI_CLI_CACHE: join(folder, "file", "cache") };

    const error = await getPulumiCommand({ ...settings, env }).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(PulumiCliError);
    expect((error as PulumiCliError).message).toContain(env.PULUMI_CLI_CACHE);
    expect((error as PulumiCliError).hint).toContain("PULUMI_CLI_CACHE");
  });
});

describe.skipIf(NO_SHELL_SCRIPTS)("hasNodeLanguageHost", () => {
  test.each([
    { where: "nowhere", path: undefined, expected: false },
    { where: "beside the CLI", path: "installed/bin", expected: true },
    { where: "on PATH", path: "elsewhere", expected: true },
  ])("is $expected with a language host $where", async ({ path, expected }) => {
    const { folder, bin, settings } = prepare();
    writeFakeCli(join(bin, "pulumi"), VERSION);
    const command = await getPulumiCommand(settings);
    if (path !== undefined) writeScript(join(folder, path, "pulumi-language-nodejs"), "true");

    expect(await hasNodeLanguageHost(command, { PATH: join(folder, "elsewhere") })).toBe(expected);
  });
});
