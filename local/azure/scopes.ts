import { resourceGroupNotFound, resourceNotFound } from "./errors";
import { GROUP_PATH, SUBSCRIPTION_PATH } from "./route";
import { findResource, isSameText } from "./state";
import type { State } from "./state";

/** Scopes of role assignments and locks: subscription, group, resource, child resource. */
export const SCOPE_PATHS = [
  SUBSCRIPTION_PATH,
  GROUP_PATH,
  `${GROUP_PATH}/providers/:namespace/:resourceType/:resource`,
  `${GROUP_PATH}/providers/:namespace/:resourceType/:resource/:childType/:child`,
] as const;

/**
 * The scope in Azure's casing.
 * @throws AzureError 404 when there is no such group or resource
 */
export function getCanonicalScope(state: State, scope: string): string {
  if (isSameText(scope, `/subscriptions/${state.subscriptionId}`)) {
    return `/subscriptions/${state.subscriptionId}`;
  }
  const resource = findResource(state, scope);
  if (resource !== undefined) return resource.id;
  const [groupId = "", relative] = scope.split(/\/providers\//i);
  const group = findResource(state, groupId);
  if (group === undefined) throw resourceGroupNotFound(groupId.split("/").at(-1) ?? "");
  const segments = (relative ?? "").split("/");
  throw resourceNotFound(segments.slice(0, -1).join("/"), segments.at(-1) ?? "", group.name);
}
