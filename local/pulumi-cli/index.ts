import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { PulumiCommand } from "@pulumi/pulumi/automation";
import { version as sdkVersion } from "@pulumi/pulumi/version";
import envPaths from "env-paths";
import { parse, SemVer } from "semver";

import { type CliSource, fillCacheEntry, type FillContext, getFault } from "./cache";
import { runCommand } from "./child-process";
import { officialDownload } from "./download";
import { PulumiCliError } from "./error";
import { type Environment, EXECUTABLE_SUFFIX, findExecutable, isExecutable } from "./executable";
import { goBuild } from "./go-build";

export { PulumiCliError } from "./error";
export { startLanguageHost } from "./language-host";

/** The version of the CLI that goes with the installed SDK, `@pulumi/pulumi`. */
export const PULUMI_VERSION: string = sdkVersion;

/** Limit for `pulumi version`, in milliseconds: it takes 0.1 s where nothing else runs. */
const VERSION_TIMEOUT_MS = 30_000;

/** What {@link getPulumiCommand} takes. */
export interface PulumiCommandSettings extends FillContext {
  /**
   * Environment for the commands that are run. `PATH` is where an installed CLI and Go are looked for; `PULUMI_CLI_CACHE`
   * sets the cache folder (default: a folder of this project in the user's cache folder).
   */
  env: Environment;
  /** Ways to get the CLI when it is neither on `PATH` nor in the cache, in order; default: the download, then the build. */
  sources?: readonly CliSource[];
}

/**
 * The Pulumi CLI: the one on `PATH` when it has the same major version and is not older, else the one in the user's cache
 * folder, where it is put first if need be (downloaded, else built with Go). Says in `log` what it does whenever that takes
 * long. Two runs at once share the work.
 *
 * @throws {PulumiCliError} that tells each way that was tried and why it failed; the signal's reason when that was aborted,
 *   and then no process and no half-filled cache entry is left
 */
export async function getPulumiCommand({
  sources = [officialDownload, goBuild],
  ...context
}: PulumiCommandSettings): Promise<PulumiCommand> {
  const { version, env, log, signal } = context;
  signal?.throwIfAborted();
  const wanted = new SemVer(version);
  const installed = await findExecutable("pulumi", env);
  let failure = "there is none";
  if (installed !== undefined) {
    let root = "";
    const fault = await getFault(async () => {
      root = await getInstalledRoot(installed, wanted, context);
    });
    if (fault === undefined) return PulumiCommand.get({ root, version: wanted });
    failure = `${installed} is not used: ${fault}`;
    log(failure);
  }

  const folder = join(getCacheFolder(env), `v${version}`);
  const check = (root: string) => checkCached(root, wanted, context);
  if ((await getFault(() => check(folder))) !== undefined) {
    const failures = await fillCacheEntry(folder, sources, check, context);
    if (failures !== undefined)
      throw createUnavailableError(version, [`PATH: ${failure}`, ...failures]);
  }
  return PulumiCommand.get({ root: folder, version: wanted });
}

/**
 * True when the CLI can run Node programs by itself: an executable `pulumi-language-nodejs` is beside it or on `PATH`.
 * Official installations have it, a CLI built with Go does not and needs {@link startLanguageHost}.
 *
 * @param env the environment that the CLI will run in
 */
export async function hasNodeLanguageHost(
  command: PulumiCommand,
  env: Environment,
): Promise<boolean> {
  const name = "pulumi-language-nodejs";
  const beside = join(dirname(command.command), name + EXECUTABLE_SUFFIX);
  return (await isExecutable(beside)) || (await findExecutable(name, env)) !== undefined;
}

function getCacheFolder(env: Environment): string {
  if (env.PULUMI_CLI_CACHE) return resolve(env.PULUMI_CLI_CACHE);
  return join(envPaths("azure-managed-identity-windows-vm", { suffix: "" }).cache, "pulumi-cli");
}

function createUnavailableError(version: string, failures: string[]): PulumiCliError {
  return new PulumiCliError(
    [`The Pulumi CLI ${version} could not be had.`, ...failures.map((line) => `- ${line}`)].join(
      "\n",
    ),
    `Install Pulumi ${version} or newer (https://www.pulumi.com/docs/install/), or Go so that it can be built here ` +
      "(https://go.dev/dl/), and try again.",
  );
}

/** The folder of the installation that an executable belongs to, which holds it at `bin/pulumi`. */
async function getInstalledRoot(
  executable: string,
  wanted: SemVer,
  context: FillContext,
): Promise<string> {
  const found = await getVersion(executable, context);
  if (found.major !== wanted.major || found.compare(wanted) < 0) {
    throw new PulumiCliError(
      `its version is ${found.version}, and ${wanted.version} or newer with the same major version is needed`,
      "Update it: https://www.pulumi.com/docs/install/",
    );
  }
  // The Automation API wants it in a folder called bin. Package managers like to put a link to that one on PATH.
  for (const path of [executable, await realpath(executable)]) {
    if (basename(dirname(path)) === "bin") return dirname(dirname(path));
  }
  throw new PulumiCliError(
    "it is not in a folder called bin, as the Automation API wants it",
    "Put the bin folder of the Pulumi installation on PATH.",
  );
}

async function checkCached(root: string, wanted: SemVer, context: FillContext): Promise<void> {
  const executable = join(root, "bin", `pulumi${EXECUTABLE_SUFFIX}`);
  const found = await getVersion(executable, context);
  if (found.compare(wanted) !== 0) {
    throw new PulumiCliError(
      `${executable} has version ${found.version} instead of ${wanted.version}`,
      "Remove its folder and try again.",
    );
  }
}

async function getVersion(executable: string, { env, signal }: FillContext): Promise<SemVer> {
  const output = await runCommand(executable, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: VERSION_TIMEOUT_MS,
    signal,
  });
  const found = parse(output.trim());
  if (found === null) {
    throw new PulumiCliError(
      `\`${executable} version\` printed no version`,
      "Reinstall it: https://www.pulumi.com/docs/install/",
    );
  }
  return found;
}
