import { getResourceGroup, type ResourceGroup } from "./arm";
import {
  completeSettings,
  getTokenSettings,
  isComplete,
  readGivenSettings,
  type Settings,
  type TokenSettings,
} from "./config";
import { VerifyError } from "./errors";
import { getToken, type AccessToken } from "./imds";
import { getInstance, type Instance } from "./instance";
import { readArguments } from "./options";
import { checkPermissions, type Permission } from "./permissions";
import { SYSTEM_CLOCK, withoutRetries, type Waiting } from "./retry";
import type { TokenClaims } from "./token";
import { checkToken, getClockSkewMs } from "./token-check";

/** The steps in the order of the report. */
export const STEP_NAMES = [
  "settings",
  "instance",
  "token",
  "claims",
  "resourceGroup",
  "permissions",
] as const;

/** How one step went. */
export interface Step {
  name: (typeof STEP_NAMES)[number];
  /** `skipped`: an earlier step failed. `not-needed`: everything to ask the VM for was given. */
  status: "passed" | "warning" | "failed" | "skipped" | "not-needed";
  /** Time taken in milliseconds, waiting included; absent for steps that were not taken. */
  durationMs?: number;
}

/** Everything a run found out. A field is absent when the run did not get that far. */
export interface Verification {
  steps: Step[];
  settings?: Settings;
  /** The VM, when it was asked. */
  instance?: Instance;
  /** Who the token says it belongs to. */
  identity?: TokenClaims;
  /** How far this machine's clock is ahead, in milliseconds. */
  clockSkewMs?: number;
  resourceGroup?: ResourceGroup;
  permissions?: Permission[];
  warnings: VerifyError[];
  /** Why the run failed; absent when it did not. */
  error?: VerifyError;
}

/** What a run needs of its surroundings. */
export interface Surroundings {
  /** The arguments after the script's name. */
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  /** Makes the bounds of the retries from `--wait`, in milliseconds. */
  toWaiting: (waitMs: number) => Waiting;
  /** Told each step as it begins and ends. */
  onStep: (name: Step["name"], event: "begin" | "end") => void;
  /** Told the token as soon as it arrives, so that it can be kept out of all output. */
  keepSecret: (secret: string) => void;
}

/**
 * Follows the chain VM → identity → token → resource group and stops at the first broken link.
 * Never throws: an error that is none of ours ends up as `INTERNAL_ERROR`.
 */
export async function verify(surroundings: Surroundings): Promise<Verification> {
  const result: Verification = { steps: [], warnings: [] };
  try {
    await followChain(result, surroundings);
  } catch (error) {
    result.error = toVerifyError(error);
  }
  const taken = new Map(result.steps.map((step) => [step.name, step]));
  result.steps = STEP_NAMES.map((name) => taken.get(name) ?? { name, status: "skipped" });
  return result;
}

async function followChain(
  result: Verification,
  { args, env, toWaiting, onStep, keepSecret }: Surroundings,
): Promise<void> {
  /** Ends the calls under way: on Ctrl-C, or since a step beside them has failed. */
  const halt = new AbortController();
  let isGivenUp = false;
  const takeStep = createStepTaker(result, onStep, () => isGivenUp);
  const given = await takeStep("settings", () => readGivenSettings(readArguments(args, env), env));
  const outer = toWaiting(given.waitMs);
  outer.signal.addEventListener("abort", () => {
    halt.abort();
  });
  const waiting = { ...outer, signal: halt.signal };

  let instanceCall: Promise<Instance> | undefined;
  const describeVm = () =>
    (instanceCall ?? getInstance(given, withoutRetries(waiting))).catch(() => undefined);
  const takeSettings = async (): Promise<Settings> => {
    if (isComplete(given)) {
      result.steps.push({ name: "instance", status: "not-needed" });
      return (result.settings = completeSettings(given));
    }
    return takeStep("instance", async () => {
      instanceCall = getInstance(given, waiting);
      result.instance = await instanceCall;
      return (result.settings = completeSettings(given, result.instance));
    });
  };
  const takeToken = (settings: TokenSettings): Promise<AccessToken> =>
    takeStep("token", () => getToken(settings, waiting, describeVm, keepSecret));

  const tokenSettings = getTokenSettings(given);
  let settings: Settings;
  let token: AccessToken;
  if (tokenSettings) {
    // Neither needs the other: both at once, and neither goes on once the other has failed.
    [settings, token] = await allOrFirstFailure(takeSettings(), takeToken(tokenSettings), () => {
      isGivenUp = true;
      halt.abort();
    });
  } else {
    settings = await takeSettings();
    token = await takeToken(settings);
  }

  result.identity = token.claims;
  const skewMs = getClockSkewMs(token, Date.now());
  if (skewMs !== undefined) result.clockSkewMs = skewMs;
  /** Keeps warnings, of which the first is the step's failure when the run is strict. */
  const keep = (warnings: readonly VerifyError[]): Step["status"] => {
    const [first, ...others] = warnings;
    result.warnings.push(...(given.strict ? others : warnings));
    if (!first) return "passed";
    if (given.strict) throw first;
    return "warning";
  };
  await takeStep("claims", () => keep(checkToken(token, settings, Date.now())), asStatus);

  const context = { settings, token, waiting };
  result.resourceGroup = await takeStep("resourceGroup", () =>
    getResourceGroup(context, describeVm),
  );
  const checkPrivilege = async () => {
    const { permissions, warnings } = await checkPermissions(context);
    if (permissions) result.permissions = permissions;
    return keep(warnings);
  };
  await takeStep("permissions", checkPrivilege, asStatus);
}

type StepTaker = <T>(
  name: Step["name"],
  work: () => T | Promise<T>,
  /** The status of a step that did not fail, by what it gave; `passed` when absent. */
  getStatus?: (value: T) => Step["status"],
) => Promise<T>;

/** @param isGivenUp whether a step that goes on beside another one is given up because that one failed */
function createStepTaker(
  result: Verification,
  onStep: Surroundings["onStep"],
  isGivenUp: () => boolean,
): StepTaker {
  return async (name, work, getStatus) => {
    onStep(name, "begin");
    const startMs = SYSTEM_CLOCK.now();
    const finish = (status: Step["status"]) => {
      result.steps.push({ name, status, durationMs: Math.round(SYSTEM_CLOCK.now() - startMs) });
      onStep(name, "end");
    };
    try {
      const value = await work();
      finish(getStatus?.(value) ?? "passed");
      return value;
    } catch (error) {
      finish(isGivenUp() ? "skipped" : "failed");
      throw error;
    }
  };
}

function asStatus(status: Step["status"]): Step["status"] {
  return status;
}

/** Fails as the first of the two did, once the other has ended, too: nothing is left under way. */
async function allOrFirstFailure<A, B>(
  one: Promise<A>,
  other: Promise<B>,
  onFailure: () => void,
): Promise<[A, B]> {
  const both = Promise.all([one, other]);
  both.catch(onFailure);
  await Promise.allSettled([one, other]);
  return both;
}

/** The error itself if it is one of ours, else an `INTERNAL_ERROR` that only names its type: it could hold anything. */
export function toVerifyError(error: unknown): VerifyError {
  if (error instanceof VerifyError) return error;
  return new VerifyError("INTERNAL_ERROR", {
    message: `verify met an error it does not know: ${error instanceof Error ? error.name : typeof error}.`,
    hint: "This is a fault in verify. Please report it with the arguments you gave.",
  });
}
