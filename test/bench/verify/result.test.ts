import { describe, expect, it } from "vitest";
import type { Measurement } from "../../../bench/verify/measurement";
import type { PeerName } from "../../../bench/verify/peers";
import { toResult, type BenchmarkResult } from "../../../bench/verify/result";
import { formatResult } from "../../../bench/verify/table";

interface Measured {
  durationsMs?: number[];
  peakKilobytes?: number[];
  bytes?: number;
  gzippedBytes?: number;
}

function toMeasurement(name: PeerName, measured: Measured): Measurement {
  const { durationsMs = [], peakKilobytes = [], bytes = 0, gzippedBytes = 0 } = measured;
  return {
    peer: {
      name,
      title: name,
      requestCount: 3,
      build: () => Promise.resolve(""),
      isOneFile: true,
      isForNode: true,
      file: "",
      sizes: { bytes, gzippedBytes },
    },
    durationsMs,
    peakKilobytes,
  };
}

/** Verify just meets every target, but for what `measured` says. */
function compare(measured: Measured = {}): BenchmarkResult {
  return toResult(3, [
    toMeasurement("dependency-free", { durationsMs: [50, 40, 80], peakKilobytes: [50] }),
    toMeasurement("verify", {
      durationsMs: [60, 54, 90],
      peakKilobytes: [70, 60, 80],
      bytes: 120_000,
      gzippedBytes: 45_000,
      ...measured,
    }),
    toMeasurement("azure-sdk", { durationsMs: [90, 95, 100], peakKilobytes: [70] }),
  ]);
}

describe("the result", () => {
  it("has ratios of the minima, and medians", () => {
    expect(compare().peers[1]).toMatchObject({
      minMs: 54,
      medianMs: 60,
      toScript: 1.35,
      toSdk: 0.6,
      peakKilobytes: 70,
    });
  });

  it("meets the targets up to their limits", () => {
    expect(compare().targets.map(({ isMet }) => isMet)).toEqual([true, true, true, true, true]);
  });

  it.each<[string, Measured, number[]]>([
    ["time", { durationsMs: [54.1] }, [0, 1]],
    ["memory", { peakKilobytes: [71] }, [2]],
    ["size", { bytes: 120_001 }, [3]],
    ["gzipped size", { gzippedBytes: 45_001 }, [4]],
  ])("misses the target of %s by a little", (_, measured, missed) => {
    const { targets } = compare(measured);
    expect(targets.flatMap(({ isMet }, index) => (isMet ? [] : [index]))).toEqual(missed);
  });

  it("shows what a target was missed by", () => {
    const lines = formatResult(compare({ durationsMs: [54.1] }));
    expect(lines.find((line) => line.includes("dependency-free script's"))).toMatch(
      /1\.353 +at most 1\.350 +MISSED$/,
    );
  });
});
