import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { withProgress } from "../../../local/pulumi-cli/progress";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("says what goes on every ten seconds until the work is done", async () => {
  const lines: string[] = [];
  let done = 0;
  const work = Promise.withResolvers<string>();

  const result = withProgress(
    (line) => lines.push(line),
    () => `Done: ${done}`,
    () => work.promise,
  );
  await vi.advanceTimersByTimeAsync(9_000);
  expect(lines).toEqual([]);
  done = 7;
  await vi.advanceTimersByTimeAsync(12_000);
  work.resolve("result");

  expect(await result).toBe("result");
  expect(lines).toEqual(["Done: 7 (10 s)", "Done: 7 (20 s)"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(lines).toHaveLength(2);
});
