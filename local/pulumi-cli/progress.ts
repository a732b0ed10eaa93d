/** Longest silence while something long runs, in milliseconds. */
const PROGRESS_INTERVAL_MS = 10_000;

/** Takes one plain line of progress, without a line end. */
export type Log = (line: string) => void;

/**
 * Runs `work` and logs what `describe` says about it every ten seconds, followed by the time that has passed.
 *
 * @returns what `work` returns
 */
export async function withProgress<T>(
  log: Log,
  describe: () => string,
  work: () => Promise<T>,
): Promise<T> {
  const start = performance.now();
  const timer = setInterval(() => {
    log(`${describe()} (${Math.round((performance.now() - start) / 1000)} s)`);
  }, PROGRESS_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
