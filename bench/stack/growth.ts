import { deploy, type Deployment, type Surroundings } from "./deployment";
import type { ProgramFolder } from "./program-folder";

/** What grows with the number of VMs. */
export const FIGURES = ["upMs", "stateBytes", "engineKilobytes", "programKilobytes"] as const;

/** The {@link FIGURES} of one deployment. */
export type Figures = Pick<Deployment, (typeof FIGURES)[number]>;

/** The stack and the bare loop with as many VMs. */
export interface GrowthResult {
  readonly vmCount: number;
  readonly stack: Figures;
  readonly loop: Figures;
}

/** What {@link measureGrowth} takes. */
export interface GrowthOptions {
  readonly stack: ProgramFolder;
  readonly loop: ProgramFolder;
  readonly vmCounts: readonly number[];
  readonly parallel: number;
  readonly log: (line: string) => void;
}

/** A deployment up to this many VMs takes seconds, so that it's done more often; the others are long enough to be steady. */
const MAX_REPEATED_VM_COUNT = 50;
const REPETITIONS = 2;

/** Deploys the stack and the bare loop, in turns, with operations that take no time: what remains is the program's and the engine's. */
export async function measureGrowth(
  { stack, loop, vmCounts, parallel, log }: GrowthOptions,
  surroundings: Surroundings,
): Promise<GrowthResult[]> {
  const results: GrowthResult[] = [];
  for (const vmCount of vmCounts) {
    const deployments: [stack: Deployment[], loop: Deployment[]] = [[], []];
    const repetitions = vmCount <= MAX_REPEATED_VM_COUNT ? REPETITIONS : 1;
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      for (const [index, program] of [stack, loop].entries()) {
        log(`growth: ${program.title}, ${vmCount} VMs, ${repetition} of ${repetitions}`);
        deployments[index]?.push(await deploy({ program, vmCount, parallel }, surroundings));
      }
    }
    const [ofStack, ofLoop] = deployments;
    results.push({ vmCount, stack: getLeast(ofStack), loop: getLeast(ofLoop) });
  }
  return results;
}

/** The least disturbed figures, each by itself. */
function getLeast(deployments: readonly Deployment[]): Figures {
  const least = (name: keyof Figures) =>
    Math.min(...deployments.map((deployment) => deployment[name] ?? Infinity));
  const engineKilobytes = least("engineKilobytes");
  return {
    upMs: least("upMs"),
    stateBytes: least("stateBytes"),
    engineKilobytes: engineKilobytes === Infinity ? null : engineKilobytes,
    programKilobytes: least("programKilobytes"),
  };
}

/** A figure for some number of VMs. */
export interface Point {
  readonly vmCount: number;
  readonly value: number;
}

/**
 * How a figure's growth changes: what a VM more costs between the two largest numbers of VMs, to what it costs between the
 * two before. 1 is linear. What the first VM costs, and what doesn't depend on VMs at all, is not in it.
 *
 * @returns undefined when there are fewer than three points, or there is no growth to compare with
 */
export function getBend(points: readonly Point[]): number | undefined {
  return getRatio(getLastSlope(points), getLastSlope(points.slice(0, -1)));
}

/**
 * What a VM more costs between the two largest numbers of VMs, to what it costs the others there.
 *
 * @returns undefined when there are fewer than two points, or the others don't grow
 */
export function getSlopeRatio(
  points: readonly Point[],
  others: readonly Point[],
): number | undefined {
  return getRatio(getLastSlope(points), getLastSlope(others));
}

/** What a VM more costs between the last two points. */
function getLastSlope(points: readonly Point[]): number | undefined {
  const [from, to] = points.slice(-2);
  if (from === undefined || to === undefined) return undefined;
  return (to.value - from.value) / (to.vmCount - from.vmCount);
}

function getRatio(slope: number | undefined, other: number | undefined): number | undefined {
  return slope === undefined || other === undefined || other <= 0 ? undefined : slope / other;
}

/** One figure of one program, as points. */
export function getPoints(
  results: readonly GrowthResult[],
  program: "stack" | "loop",
  figure: keyof Figures,
): Point[] {
  return results.flatMap(({ vmCount, [program]: { [figure]: value } }) =>
    value === null ? [] : [{ vmCount, value }],
  );
}
