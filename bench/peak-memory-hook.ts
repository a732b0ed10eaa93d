/** Preloaded into a peer: writes the peak of its resident memory, in kilobytes, to the file that PEAK_MEMORY_FILE names. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const PROCESS_STATUS = "/proc/self/status";

/** On Linux, `maxRSS` may be the parent's: a process starts with the peak that it had before it became another program. */
function readPeakKilobytes(): string {
  if (!existsSync(PROCESS_STATUS)) return String(process.resourceUsage().maxRSS);
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(PROCESS_STATUS, "utf8")) ?? [];
  if (kilobytes === undefined) throw new Error(`${PROCESS_STATUS} has no VmHWM.`);
  return kilobytes;
}

process.on("exit", () => {
  writeFileSync(process.env.PEAK_MEMORY_FILE ?? "", readPeakKilobytes());
});
