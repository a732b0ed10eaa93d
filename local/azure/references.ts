import type { Azure } from "./context";
import { invalidResourceReference, notImplemented, referenceNotProvisioned } from "./errors";
import type { JsonObject } from "./json";
import { findResource, findResourceOfType } from "./state";
import type { Resource, State } from "./state";

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
  if (resource === undefined || getRegion(azure.state, resource) !== referrer.location) {
    throw invalidResourceReference(reference, referrer.id);
  }
  if (isBusy(resource)) {
    const state = String(resource.properties["provisioningState"]);
    throw referenceNotProvisioned(resource.id, referrer.id, state);
  }
  return resource;
}

/** Where a resource is; a child without a location of its own is where its parent is. */
export function getRegion(state: State, resource: Resource): string {
  const parent = findResource(state, resource.id.split("/").slice(0, -2).join("/"));
  return resource.location ?? parent?.location ?? "global";
}

/**
 * Checks that a request gives none of these settings, which Azure knows and this Azure doesn't; an empty
 * list counts as not given.
 * @throws AzureError 501 NotImplemented
 */
export function checkNotGiven(settings: JsonObject, names: readonly string[], owner: string): void {
  const given = names.find((name) => {
    const value = settings[name];
    return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  });
  if (given !== undefined) throw notImplemented(`${owner} with ${given}`);
}
