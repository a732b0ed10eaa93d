import { explainAccessDenied } from "./access-denied";
import { NOT_ARM_HINT, toArmCameBack } from "./arm-failures";
import { ARM_RETRIES, askArm, isAccessDenied, type ArmContext } from "./arm-request";
import { getScope } from "./config";
import { VerifyError } from "./errors";
import type { Instance } from "./instance";
import { isObject } from "./json";
import type { RetryTable } from "./retry";

/** A resource group as Azure Resource Manager describes it. */
export interface ResourceGroup {
  id: string;
  name: string;
  location: string;
  /** `Succeeded` once it stands. */
  provisioningState: string;
  tags: Record<string, string>;
}

/**
 * Retries of the resource group read: those of {@link ARM_RETRIES}, and 403 for as long as the caller is willing to
 * wait, because a new role assignment takes up to 10 minutes to work ("Troubleshoot Azure RBAC").
 */
export const RESOURCE_GROUP_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer" && isAccessDenied(outcome)) {
    const reason = "access denied (403); a new role assignment takes up to 10 minutes to work";
    return { windowMs: Infinity, maxDelayMs: 15_000, reason };
  }
  return ARM_RETRIES(outcome);
};

/**
 * Step 5 of the tutorial: reads the resource group with the identity's token ("Resource Groups - Get").
 * @param describeVm asked when access is denied, to compare the group with the VM's own
 * @throws VerifyError as `askArm`, and instead of `ACCESS_DENIED` one of `ROLE_MISSING`, `ROLE_PROPAGATING`,
 *   `RESOURCE_GROUP_HIDDEN` where it can be told
 */
export async function getResourceGroup(
  context: ArmContext,
  describeVm: () => Promise<Instance | undefined>,
): Promise<ResourceGroup> {
  const { clock } = context.waiting;
  const startMs = clock.now();
  const path = `${getScope(context.settings)}?api-version=2021-04-01`;
  const { asked, answer } = await askArm(context, path, RESOURCE_GROUP_RETRIES).catch(
    async (error: unknown) => {
      if (!(error instanceof VerifyError) || error.code !== "ACCESS_DENIED") throw error;
      throw await explainAccessDenied(error, context, clock.now() - startMs, describeVm);
    },
  );
  const group = readResourceGroup(answer.json);
  if (group) return group;
  throw new VerifyError("ARM_BAD_ANSWER", {
    message: "The answer to the resource group request is not a resource group.",
    hint: NOT_ARM_HINT,
    asked,
    cameBack: toArmCameBack(answer),
  });
}

/** The wire form of a resource group; undefined if it is none. */
export function readResourceGroup(json: unknown): ResourceGroup | undefined {
  if (!isObject(json)) return undefined;
  const { id, name, location, tags, properties } = json;
  const state = isObject(properties) ? properties.provisioningState : undefined;
  if (typeof id !== "string" || typeof name !== "string") return undefined;
  if (typeof location !== "string" || typeof state !== "string") return undefined;
  return { id, name, location, provisioningState: state, tags: readTags(tags) };
}

function readTags(tags: unknown): Record<string, string> {
  if (!isObject(tags)) return {};
  const pairs = Object.entries(tags);
  return Object.fromEntries(
    pairs.filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}
