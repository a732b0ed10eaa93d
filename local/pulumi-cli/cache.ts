import { existsSync } from "node:fs";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { lock } from "proper-lockfile";

import { CommandError } from "./child-process";
import { PulumiCliError } from "./error";
import type { Environment } from "./executable";
import { type Log, withProgress } from "./progress";

/** A lock not refreshed for this long belonged to a run that was killed, in milliseconds. */
const LOCK_STALE_MS = 15_000;

/** How often a run that waits for another one looks again, in milliseconds. */
const LOCK_POLL_MS = 500;

/** What the name of a folder that is being filled has after the entry's own. */
const TEMPORARY_SUFFIX = ".tmp-";

/** What a {@link CliSource} needs to know. */
export interface FillContext {
  /** The version to get, as in `3.259.0`. */
  version: string;
  /** Environment for the commands it runs. */
  env: Environment;
  /** Takes lines of progress. */
  log: Log;
  /** Aborting ends the work; nothing is left running. */
  signal?: AbortSignal | undefined;
}

/** One way to get the CLI. */
export interface CliSource {
  /** What it is called in messages. */
  name: string;
  /**
   * Puts the CLI at `bin/pulumi` below the empty folder `root`.
   *
   * @throws {CommandError | PulumiCliError} when this way doesn't work here; the signal's reason when that was aborted
   */
  fill: (root: string, context: FillContext) => Promise<void>;
}

/**
 * Finds out whether a folder holds the working CLI.
 *
 * @throws {CommandError | PulumiCliError} when it doesn't
 */
export type CheckFolder = (root: string) => Promise<unknown>;

/**
 * Fills the cache entry `folder` from the first source that works. The entry appears all at once or not at all: the work is
 * done in a folder beside it. Runs that want the same entry wait for each other.
 *
 * @returns undefined when the entry is there, else one line for each source that says why it failed
 * @throws {PulumiCliError} when the cache can't be written; the signal's reason when that was aborted
 */
export async function fillCacheEntry(
  folder: string,
  sources: readonly CliSource[],
  check: CheckFolder,
  context: FillContext,
): Promise<string[] | undefined> {
  await makeCacheFolder(dirname(folder));
  const unlock = await lockEntry(folder, context);
  try {
    // Whoever held the lock before may have filled it.
    const fault = await getFault(() => check(folder));
    if (fault === undefined) return undefined;
    if (existsSync(folder)) {
      context.log(`The Pulumi CLI in the cache does not work and is replaced: ${fault}`);
      await rm(folder, { recursive: true });
    }
    await removeTemporaryFolders(folder);

    const failures: string[] = [];
    for (const source of sources) {
      const failure = await fillFrom(source, folder, check, context);
      if (failure === undefined) return undefined;
      context.log(`The ${source.name} did not work: ${failure}`);
      failures.push(`${source.name}: ${failure}`);
    }
    return failures;
  } finally {
    await unlock();
  }
}

/**
 * Runs `attempt` and returns why it failed, undefined when it did not. Errors other than {@link CommandError} and
 * {@link PulumiCliError} are thrown on.
 */
export async function getFault(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof PulumiCliError) return `${error.message}. ${error.hint}`;
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}

async function fillFrom(
  source: CliSource,
  folder: string,
  check: CheckFolder,
  context: FillContext,
): Promise<string | undefined> {
  const temporary = await mkdtemp(`${folder}${TEMPORARY_SUFFIX}`);
  try {
    return await getFault(async () => {
      await source.fill(temporary, context);
      await check(temporary);
      await rename(temporary, folder);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function makeCacheFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (cause) {
    throw new PulumiCliError(
      `The cache folder ${path} can't be written (${(cause as NodeJS.ErrnoException).code ?? "unknown error"})`,
      "Set PULUMI_CLI_CACHE to a folder that can.",
      { cause },
    );
  }
}

async function lockEntry(
  folder: string,
  { log, signal }: FillContext,
): Promise<() => Promise<void>> {
  const tryLock = async (): Promise<(() => Promise<void>) | undefined> => {
    let lost = false;
    try {
      const release = await lock(folder, {
        realpath: false, // The entry need not exist.
        stale: LOCK_STALE_MS,
        // After this machine slept, another run may have taken the lock over. The entry still appears all at once.
        onCompromised: () => {
          lost = true;
        },
      });
      return async () => {
        if (!lost) await release();
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
      throw error;
    }
  };

  const first = await tryLock();
  if (first !== undefined) return first;
  const waiting = "Waiting for another run that is getting the Pulumi CLI";
  log(waiting);
  return withProgress(
    log,
    () => waiting,
    async () => {
      for (;;) {
        await sleep(LOCK_POLL_MS);
        signal?.throwIfAborted();
        const unlock = await tryLock();
        if (unlock !== undefined) return unlock;
      }
    },
  );
}

/** Removes what killed runs left beside the entry. Only the run that holds the lock makes such folders. */
async function removeTemporaryFolders(folder: string): Promise<void> {
  const parent = dirname(folder);
  for (const name of await readdir(parent)) {
    if (name.startsWith(basename(folder) + TEMPORARY_SUFFIX)) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}
