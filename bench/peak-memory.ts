import { existsSync, readFileSync } from "node:fs";

/**
 * The peak of a process's resident memory so far, in kilobytes; undefined where the system doesn't tell, and
 * for a process that has ended. It is what `maxRSS` should be: that may be the parent's, since a process starts
 * with the peak that it had before it became another program.
 *
 * @param pid the process's id, or `self`
 */
export function readPeakKilobytes(pid: number | "self"): number | undefined {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return undefined;
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(file, "utf8")) ?? [];
  return kilobytes === undefined ? undefined : Number(kilobytes);
}
