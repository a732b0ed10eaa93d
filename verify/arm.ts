import type { Settings } from "./config";
import { getErrorBody, NOT_ARM_HINT, toArmError, toArmCameBack } from "./arm-failures";
import { VerifyError, type Asked } from "./errors";
import { get } from "./http";
import { isObject } from "./json";
import type { AccessToken } from "./imds";
import { getTransientRule, withRetries, type RetryTable, type Waiting } from "./retry";

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
 * Retries of the resource group read: 429, 408, 5xx, timeouts and cut connections, and 403 for as long as the caller is
 * willing to wait, because a new role assignment takes up to 10 minutes to work ("Troubleshoot Azure RBAC").
 */
export const RESOURCE_GROUP_RETRIES: RetryTable = (outcome) => {
  if (outcome.kind === "answer" && outcome.status === 403 && getErrorBody(outcome.json).code) {
    const reason = "access denied (403); a new role assignment takes up to 10 minutes to work";
    return { windowMs: Infinity, maxDelayMs: 15_000, reason };
  }
  return getTransientRule("ARM", outcome);
};

/**
 * Step 5 of the tutorial: reads the resource group with the identity's token ("Resource Groups - Get").
 * @throws VerifyError one of the codes `ARM_…`, `TOKEN_…`, `ACCESS_DENIED`, `SUBSCRIPTION_NOT_FOUND`,
 *   `RESOURCE_GROUP_NOT_FOUND`
 */
export async function getResourceGroup(
  settings: Settings,
  token: AccessToken,
  waiting: Waiting,
): Promise<ResourceGroup> {
  const { subscriptionId, resourceGroup, armEndpoint } = settings;
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
  const url = new URL(`${armEndpoint}${scope}?api-version=2021-04-01`).href;
  const asked: Asked = { method: "GET", url };
  const outcome = await withRetries(
    () =>
      get({
        url,
        headers: { Accept: "application/json", Authorization: `Bearer ${token.value}` },
        proxy: "environment",
        timeoutMs: settings.timeoutMs,
      }),
    RESOURCE_GROUP_RETRIES,
    waiting,
  );
  if (outcome.kind === "failure" || outcome.status !== 200) {
    throw toArmError(outcome, { asked, settings, scope, claims: token.claims });
  }
  const group = readResourceGroup(outcome.json);
  if (!group) {
    throw new VerifyError("ARM_BAD_ANSWER", {
      message: "The answer to the resource group request is not a resource group.",
      hint: NOT_ARM_HINT,
      asked,
      cameBack: toArmCameBack(outcome),
    });
  }
  return group;
}

function readResourceGroup(json: unknown): ResourceGroup | undefined {
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
