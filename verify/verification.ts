import { getResourceGroup, type ResourceGroup } from "./arm";
import type { Settings } from "./config";
import { VerifyError } from "./errors";
import { getToken } from "./imds";
import type { Waiting } from "./retry";
import type { TokenClaims } from "./token";

/** The steps in their order: each needs the one before. */
export const STEP_NAMES = ["settings", "token", "resourceGroup"] as const;

/** How one step went. */
export interface Step {
  name: (typeof STEP_NAMES)[number];
  /** `skipped`: an earlier step failed. */
  status: "passed" | "failed" | "skipped";
  /** Time taken in milliseconds, waiting included; absent for skipped steps. */
  durationMs?: number;
}

/** Everything a run found out. A field is absent when the run did not get that far. */
export interface Verification {
  steps: Step[];
  /** Who the token says it belongs to. */
  identity?: TokenClaims;
  resourceGroup?: ResourceGroup;
  /** Why the run failed; absent when every step passed. */
  error?: VerifyError;
}

/**
 * Follows the chain identity → token → resource group and stops at the first broken link.
 * Never throws: an error that is none of ours ends up as `INTERNAL_ERROR`.
 * @param readSettings gives the checked settings, or throws a {@link VerifyError}
 * @param toWaiting makes the bounds of the retries from `waitMs`
 * @param keepSecret told the token as soon as it arrives, so that it can be kept out of all output
 */
export async function verify(
  readSettings: () => Settings,
  toWaiting: (waitMs: number) => Waiting,
  keepSecret: (secret: string) => void,
): Promise<Verification> {
  const result: Verification = { steps: [] };
  const run = async <T>(name: Step["name"], work: () => T | Promise<T>): Promise<T> => {
    const startMs = performance.now();
    const finish = (status: Step["status"]) => {
      result.steps.push({ name, status, durationMs: Math.round(performance.now() - startMs) });
    };
    try {
      const value = await work();
      finish("passed");
      return value;
    } catch (error) {
      finish("failed");
      throw error;
    }
  };

  try {
    const settings = await run("settings", readSettings);
    const waiting = toWaiting(settings.waitMs);
    const token = await run("token", () => getToken(settings, waiting, keepSecret));
    result.identity = token.claims;
    result.resourceGroup = await run("resourceGroup", () =>
      getResourceGroup(settings, token, waiting),
    );
  } catch (error) {
    result.error = toVerifyError(error);
    for (const name of STEP_NAMES.slice(result.steps.length)) {
      result.steps.push({ name, status: "skipped" });
    }
  }
  return result;
}

/** The error itself if it is one of ours, else an `INTERNAL_ERROR` that only names its type: it could hold anything. */
export function toVerifyError(error: unknown): VerifyError {
  if (error instanceof VerifyError) return error;
  return new VerifyError("INTERNAL_ERROR", {
    message: `verify met an error it does not know: ${error instanceof Error ? error.name : typeof error}.`,
    hint: "This is a fault in verify. Please report it with the arguments you gave.",
  });
}
