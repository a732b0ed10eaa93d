import { describe, expect, it } from "vitest";
import { getBend, type Figures, type GrowthResult } from "../../../bench/stack/growth";
import { toLatencyResult, UNLIMITED_PARALLEL } from "../../../bench/stack/latency";
import { toLoadingResult } from "../../../bench/stack/loading";
import { toResult, type StackMeasurements, type StackResult } from "../../../bench/stack/result";
import { formatResult } from "../../../bench/stack/table";

const CHAIN = [
  { urn: "a", type: "azure-native:network:Subnet", custom: true },
  { urn: "b", type: "azure-native:network:Subnet", custom: true, dependencies: ["a"] },
];

/** Creation of a chain of two, whose operations take a second each. */
function measureLatency(
  vmCount: number,
  creationMs: number,
  more: { title?: string; parallel?: number } = {},
) {
  const run = {
    title: "this stack",
    vmCount,
    parallel: UNLIMITED_PARALLEL,
    operationMs: 1_000,
    ...more,
  };
  return toLatencyResult(run, { resources: CHAIN, creationMs, upMs: creationMs + 1_000 });
}

/** Figures that are all the same. */
function toFigures(value: number): Figures {
  return { upMs: value, stateBytes: value, engineKilobytes: value, programKilobytes: value };
}

function measureGrowth(stack: Figures[], loop: Figures[]): GrowthResult[] {
  const vmCounts = [1, 11, 21];
  return vmCounts.flatMap((vmCount, index) => {
    const [ofStack, ofLoop] = [stack[index], loop[index]];
    return ofStack && ofLoop ? [{ vmCount, stack: ofStack, loop: ofLoop }] : [];
  });
}

const LINEAR = [10, 20, 30].map(toFigures);

/** The stack just meets every target, but for what `measured` says. */
function compare(measured: Partial<StackMeasurements> = {}): StackResult {
  return toResult({
    operationMs: 1_000,
    parallel: 8,
    cores: 2,
    loadAverage: 0.5,
    latency: [measureLatency(1, 2_300), measureLatency(10, 2_600)],
    growth: measureGrowth(LINEAR, LINEAR),
    loading: [
      toLoadingResult("load", { stack: [120, 130, 150], minimal: [100, 110, 120] }),
      toLoadingResult("load, processor time", { stack: [20], minimal: [10] }),
      toLoadingResult("index.ts alone", { stack: [20], minimal: [10] }),
      toLoadingResult("type check", { stack: [120], minimal: [100] }),
    ],
    ...measured,
  });
}

function listMissed({ targets }: StackResult): string[] {
  return targets.flatMap(({ description, isMet }) => (isMet ? [] : [description]));
}

describe("the bend of a growth", () => {
  const toPoints = (...values: number[]) =>
    values.map((value, index) => ({ vmCount: 10 ** index, value }));

  it.each([
    ["1 where it is linear", toPoints(101, 110, 200, 1_100), 1],
    ["more where each VM costs more", toPoints(0, 10, 100, 1_900), 2],
    ["that of the largest numbers of VMs", toPoints(1_000, 10, 100, 1_000), 1],
    ["unknown with two points", toPoints(1, 10), undefined],
    ["unknown where nothing grew before", toPoints(5, 10, 10, 20), undefined],
  ])("is %s", (_, points, bend) => {
    expect(getBend(points)).toBe(bend);
  });
});

describe("the result", () => {
  it("meets the targets up to their limits", () => {
    expect(compare().targets).toHaveLength(8);
    expect(listMissed(compare())).toEqual([]);
  });

  it("has the ratio to the lower bound, and the critical path beside it", () => {
    const resources = [...CHAIN, { urn: "c", type: "azure-native:network:Subnet", custom: true }];
    const run = { title: "this stack", vmCount: 1, parallel: 1, operationMs: 1_000 };
    expect(toLatencyResult(run, { resources, creationMs: 4_500, upMs: 0 })).toMatchObject({
      resources: 3,
      criticalPathMs: 2_000,
      lowerBoundMs: 3_000,
      ratio: 1.5,
    });
  });

  it("has the ratio of the minima, and medians", () => {
    expect(compare().loading[0]).toMatchObject({
      stackMinMs: 120,
      stackMedianMs: 130,
      minimalMedianMs: 110,
      ratio: 1.2,
    });
  });

  it.each<[string, Partial<StackMeasurements>, string[]]>([
    [
      "the critical path with one VM",
      { latency: [measureLatency(1, 2_301)] },
      ["creation to the critical path, VMs: 1"],
    ],
    [
      "the critical path with more",
      { latency: [measureLatency(10, 2_601)] },
      ["creation to the critical path, VMs: 10"],
    ],
    [
      "the type check",
      { loading: [toLoadingResult("type check", { stack: [121], minimal: [100] })] },
      ["type check to the minimal program's"],
    ],
    [
      "one figure's growth",
      {
        growth: measureGrowth(
          [10, 20, 32.1].map((value) => ({ ...toFigures(value), upMs: Math.min(value, 32) })),
          LINEAR,
        ),
      },
      ["state", "memory of the engine", "memory of the program"],
    ],
  ])("misses %s by a little", (_, measured, missed) => {
    const descriptions = listMissed(compare(measured));
    expect(descriptions).toHaveLength(missed.length);
    for (const [index, text] of missed.entries()) expect(descriptions[index]).toContain(text);
  });

  it("doesn't blame the program for what the bare loop does too", () => {
    const bent = [10, 20, 50].map(toFigures);
    const lessBent = [15, 25, 50].map(toFigures);
    const moreBent = [10, 20, 57].map(toFigures);
    expect(listMissed(compare({ growth: measureGrowth(bent, lessBent) }))).toEqual([]);
    expect(listMissed(compare({ growth: measureGrowth(bent, LINEAR) }))).toHaveLength(4);
    expect(listMissed(compare({ growth: measureGrowth(moreBent, bent) }))).toHaveLength(4);
  });

  it("takes a linear growth for good, even if the loop's is less", () => {
    const flatter = [10, 11, 12].map(toFigures);
    expect(listMissed(compare({ growth: measureGrowth(LINEAR, flatter) }))).toEqual([]);
  });

  it("has no target for the loop, nor for an engine with its default of --parallel", () => {
    const latency = [
      measureLatency(10, 9_000, { title: "bare loop" }),
      measureLatency(10, 9_000, { parallel: 8 }),
    ];
    expect(listMissed(compare({ latency }))).toEqual([]);
  });

  it("goes without growth targets where there are too few numbers of VMs, or no memory is told", () => {
    const growth = measureGrowth(LINEAR.slice(0, 2), LINEAR);
    expect(compare({ growth }).targets).toHaveLength(4);
    const unknown = LINEAR.with(2, { ...toFigures(30), engineKilobytes: null });
    expect(compare({ growth: measureGrowth(unknown, LINEAR) }).targets).toHaveLength(7);
  });

  it("shows what was measured, and what a target was missed by", () => {
    const unknown = LINEAR.map((figures) => ({ ...figures, engineKilobytes: null }));
    const text = formatResult(
      compare({ latency: [measureLatency(1, 2_301)], growth: measureGrowth(unknown, LINEAR) }),
    ).join("\n");
    expect(text).toMatch(/^this stack +1 +2 +1000 +2\.00 +2\.00 +2\.30 +1\.151 +3\.30$/m);
    expect(text).toMatch(/^1 +0\.0 +0\.0 +1\.00 .* - +0\.0 +- .*1\.00$/m);
    expect(text).not.toContain("busy");
    expect(formatResult(compare({ loadAverage: 1.1 })).join("\n")).toContain("busy");
    expect(text).toMatch(/VMs: 1 +1\.151 +at most 1\.150 +MISSED$/m);
  });
});
