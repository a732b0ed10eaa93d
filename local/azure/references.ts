import type { Azure } from "./context";
import { invalidResourceReference, referenceNotProvisioned } from "./errors";
import { findResourceOfType } from "./state";
import type { Resource } from "./state";

/** States of a resource whose own operation runs. */
const BUSY_STATES: readonly unknown[] = ["Creating", "Updating", "Deleting"];

/** True while a resource's own operation runs. */
export function isBusy(resource: Resource): boolean {
  return BUSY_STATES.includes(resource.properties["provisioningState"]);
}

/**
 * The resource that `reference` names, for a property of `referrer`.
 * @throws AzureError 400 InvalidResourceReference when there is none of that type in that region,
 * 429 RetryableError while it isn't provisioned
 */
export function getReferenced(
  azure: Azure,
  type: string,
  reference: string,
  referrer: { id: string; location: string },
): Resource {
  const resource = findResourceOfType(azure.state, type, reference);
  const isElsewhere = resource?.location !== undefined && resource.location !== referrer.location;
  if (resource === undefined || isElsewhere) {
    throw invalidResourceReference(reference, referrer.id);
  }
  if (isBusy(resource)) {
    const state = String(resource.properties["provisioningState"]);
    throw referenceNotProvisioned(resource.id, referrer.id, state);
  }
  return resource;
}
