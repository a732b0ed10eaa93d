import type { Azure } from "./context";
import { AzureError, resourceGroupNotFound } from "./errors";
import type { JsonObject } from "./json";
import type { ResourceType } from "./resource-type";
import { getParam } from "./route";
import type { ArmRequest } from "./route";
import { findResource, removeResource } from "./state";
import type { Resource } from "./state";

/** The resource as the wire shows it. */
export function toWire(
  resource: Resource,
  resourceType: ResourceType,
  azure: Azure,
  query: Readonly<Record<string, string>> = {},
): JsonObject {
  return {
    id: resource.id,
    name: resource.name,
    type: resource.type,
    location: resource.location,
    tags: resource.tags,
    etag: resource.etag,
    managedBy: resource.managedBy,
    sku: resource.sku,
    zones: resource.zones,
    identity: resource.identity,
    properties: resourceType.view?.(resource, azure, query) ?? resource.properties,
  };
}

/**
 * The resource group of that name.
 * @throws AzureError 404 ResourceGroupNotFound; 409 ResourceGroupBeingDeleted when it is for a write
 */
export function getGroup(azure: Azure, request: ArmRequest, isForWrite: boolean): Resource {
  const name = getParam(request.params, "group");
  const id = `/subscriptions/${azure.state.subscriptionId}/resourceGroups/${name}`;
  const group = findResource(azure.state, id);
  if (group === undefined) throw resourceGroupNotFound(name);
  if (isForWrite && group.properties["provisioningState"] === "Deleting") {
    throw new AzureError(
      409,
      "ResourceGroupBeingDeleted",
      `The resource group '${group.name}' is in deprovisioning state and cannot perform this operation.`,
    );
  }
  return group;
}

/**
 * Removes a resource for good and tells its type. Runs at the end of a deletion.
 * @throws AzureError when it came into use since the deletion was accepted
 */
export async function deleteNow(
  resource: Resource,
  resourceType: ResourceType,
  azure: Azure,
): Promise<void> {
  const use = resourceType.findUse?.(resource, azure);
  if (use !== undefined) throw use;
  removeResource(azure.state, resource.id);
  await resourceType.afterDelete?.(resource, azure);
}
