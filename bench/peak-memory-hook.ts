/** Preloaded into a program: writes the peak of its resident memory, in kilobytes, to the file that PEAK_MEMORY_FILE names. */
import { writeFileSync } from "node:fs";
import { readPeakKilobytes } from "./peak-memory";

process.on("exit", () => {
  const kilobytes = readPeakKilobytes("self") ?? process.resourceUsage().maxRSS;
  writeFileSync(process.env.PEAK_MEMORY_FILE ?? "", String(kilobytes));
});
