import { randomUUID } from "node:crypto";

import type { Azure } from "./context";
import { AzureError, resourceNotFound } from "./errors";
import { mergePatch, readObject, readText } from "./json";
import type { JsonObject } from "./json";
import { readLocation } from "./locations";
import { getOperationHeaders } from "./operation-routes";
import { PREEMPTED } from "./operations";
import { getRegion, isBusy } from "./references";
import type { PutRequest, ResourceType } from "./resource-type";
import { deleteNow, getGroup, toWire } from "./resources";
import { fillPath, getParam, GROUP_PATH, SUBSCRIPTION_PATH } from "./route";
import type { ArmAnswer, ArmRequest, Route } from "./route";
import { findResource, listBelow, listResources, storeResource } from "./state";
import type { Resource } from "./state";
import { readTags } from "./tags";

/** The routes of one type of resource: PUT, GET, PATCH, DELETE and its lists. */
export function getResourceRoutes(resourceType: ResourceType, azure: Azure): Route[] {
  const { type, apiVersions } = resourceType;
  const { namespace, parentTypes, lastType } = splitType(type);
  const parentPath = parentTypes.reduce(
    (path, parentType) => `${path}/${parentType}/:parent`,
    `${GROUP_PATH}/providers/${namespace}`,
  );
  const listPath = `${parentPath}/${lastType}`;
  const path = `${listPath}/:name`;
  const common = {
    type,
    apiVersions,
    getScope: (params: Readonly<Record<string, string>>) => fillPath(path, params),
  };

  /** The group or parent resource that the request's resource lies in. */
  function getContainer(request: ArmRequest, isForWrite: boolean): Resource {
    const group = getGroup(azure, request, isForWrite);
    const [parentType] = parentTypes;
    if (parentType === undefined) return group;
    const id = `${group.id}/providers/${namespace}/${parentType}/${getParam(request.params, "parent")}`;
    const parent = findResource(azure.state, id);
    if (parent !== undefined) return parent;
    if (!isForWrite) {
      throw resourceNotFound(
        `${namespace}/${parentType}`,
        getParam(request.params, "parent"),
        group.name,
      );
    }
    throw new AzureError(
      404,
      "ParentResourceNotFound",
      `Failed to perform '${request.body === undefined ? "delete" : "write"}' on resource(s) of type '${parentTypes.join("/")}/${lastType}', because the parent resource '${id}' could not be found.`,
    );
  }

  function getId(container: Resource, name: string): string {
    const separator = parentTypes.length === 0 ? `/providers/${namespace}` : "";
    return `${container.id}${separator}/${lastType}/${name}`;
  }

  function findExisting(request: ArmRequest, isForWrite: boolean): Resource | undefined {
    const container = getContainer(request, isForWrite);
    return findResource(azure.state, getId(container, getParam(request.params, "name")));
  }

  function getExisting(request: ArmRequest, isForWrite: boolean): Resource {
    const existing = findExisting(request, isForWrite);
    if (existing !== undefined) return existing;
    throw resourceNotFound(
      type,
      getParam(request.params, "name"),
      getGroup(azure, request, false).name,
    );
  }

  async function write(request: ArmRequest, body: JsonObject): Promise<ArmAnswer> {
    const container = getContainer(request, true);
    const name = getParam(request.params, "name");
    const existing = findResource(azure.state, getId(container, name));
    if (existing === undefined) resourceType.checkName?.(name);
    else checkNotBusy(existing);
    const location = resourceType.isTracked ? readLocationOf(body, type, existing, container) : "";
    const put: PutRequest = {
      id: existing?.id ?? getId(container, name),
      name: existing?.name ?? name,
      body,
      properties: readObject(body["properties"], "properties"),
      location,
      existing,
    };
    // Read before put, which may change children and principals: what is refused changes nothing.
    const tags = resourceType.isTracked ? readTags(body["tags"]) : undefined;
    const result = resourceType.put?.(put, azure);
    if (result === undefined) throw new Error(`${type} cannot be put.`);
    const resource: Resource = {
      id: put.id,
      name: put.name,
      type,
      ...(resourceType.isTracked ? { location, tags } : {}),
      ...(namespace === "Microsoft.Network" ? { etag: `W/"${randomUUID()}"` } : {}),
      ...result,
    };
    storeResource(azure.state, resource);
    if (!resourceType.isLongRunning) {
      await resourceType.afterPut?.(resource, azure);
      return { status: existing ? 200 : 201, body: toWire(resource, resourceType, azure) };
    }
    resource.properties["provisioningState"] = existing ? "Updating" : "Creating";
    await resourceType.afterPut?.(resource, azure);
    const operation = await azure.operations.start(async () => {
      checkNotPreempted(resource);
      const failure = await resourceType.provision?.(resource, put, azure);
      checkNotPreempted(resource);
      resource.properties["provisioningState"] = failure === undefined ? "Succeeded" : "Failed";
      if (failure !== undefined) throw failure;
    }, resourceType.provision !== undefined);
    return {
      status: existing ? 200 : 201,
      headers: getOperationHeaders(
        operation,
        { namespace, location: getRegion(azure.state, resource) },
        request,
        false,
      ),
      body: toWire(resource, resourceType, azure),
    };
  }

  /** A deletion may come in while a PUT's operation runs, as on Azure. */
  function checkNotPreempted(resource: Resource): void {
    const isCurrent = findResource(azure.state, resource.id) === resource;
    if (!isCurrent || resource.properties["provisioningState"] === "Deleting") throw PREEMPTED;
  }

  async function remove(request: ArmRequest): Promise<ArmAnswer> {
    const resource = findExisting(request, true);
    if (resource === undefined) return { status: 204 };
    const use = resourceType.findUse?.(resource, azure);
    if (use !== undefined) throw use;
    if (!resourceType.isLongRunning) {
      await deleteNow(resource, resourceType, azure);
      return { status: 200 };
    }
    resource.properties["provisioningState"] = "Deleting";
    const operation = await azure.operations.start(async () => {
      if (findResource(azure.state, resource.id) !== resource) return;
      try {
        await deleteNow(resource, resourceType, azure);
      } catch (error) {
        resource.properties["provisioningState"] = "Succeeded";
        throw error;
      }
    });
    return {
      status: 202,
      headers: getOperationHeaders(
        operation,
        { namespace, location: getRegion(azure.state, resource) },
        request,
        true,
      ),
    };
  }

  const routes: Route[] = [
    {
      ...common,
      method: "GET",
      path,
      action: `${type}/read`,
      query: resourceType.getQuery ?? [],
      handle: (request) => ({
        status: 200,
        body: toWire(getExisting(request, false), resourceType, azure, request.query),
      }),
    },
    {
      ...common,
      method: "GET",
      path: listPath,
      action: `${type}/read`,
      getScope: (params) => fillPath(parentTypes.length === 0 ? GROUP_PATH : parentPath, params),
      query: resourceType.listQuery ?? [],
      handle: (request) => {
        const container = getContainer(request, false);
        const resources = listBelow(azure.state, container.id);
        return list(
          resources.filter((one) => one.type === type),
          request.query,
        );
      },
    },
    { ...common, method: "DELETE", path, action: `${type}/delete`, handle: remove },
  ];
  if (resourceType.isTracked && parentTypes.length === 0) {
    routes.push({
      ...common,
      method: "GET",
      path: `${SUBSCRIPTION_PATH}/providers/${type}`,
      action: `${type}/read`,
      getScope: (params) => fillPath(SUBSCRIPTION_PATH, params),
      handle: () => list(listResources(azure.state, type)),
    });
  }
  if (resourceType.put !== undefined) {
    routes.push({
      ...common,
      method: "PUT",
      path,
      action: `${type}/write`,
      handle: (request) => write(request, readObject(request.body, "body")),
    });
  }
  const { patch } = resourceType;
  if (patch !== undefined) {
    routes.push({
      ...common,
      method: "PATCH",
      path,
      action: `${type}/write`,
      handle: (request) => {
        const existing = getExisting(request, true);
        const body = readObject(request.body, "body");
        if (patch !== "tags") {
          return write(request, patch(toWire(existing, resourceType, azure), body, existing));
        }
        checkNotBusy(existing);
        existing.tags = readTags(mergePatch(existing.tags, readObject(body["tags"], "tags")));
        return { status: 200, body: toWire(existing, resourceType, azure) };
      },
    });
  }
  return routes;

  function list(resources: Resource[], query: ArmRequest["query"] = {}): ArmAnswer {
    return {
      status: 200,
      body: { value: resources.map((one) => toWire(one, resourceType, azure, query)) },
    };
  }
}

function readLocationOf(
  body: JsonObject,
  type: string,
  existing: Resource | undefined,
  group: Resource,
): string {
  const location = readLocation(readText(body["location"], "location"), type);
  if (existing?.location === undefined || existing.location === location) return location;
  throw new AzureError(
    409,
    "InvalidResourceLocation",
    `The resource '${existing.name}' already exists in location '${existing.location}' in resource group '${group.name}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
  );
}

function checkNotBusy(resource: Resource): void {
  if (!isBusy(resource)) return;
  throw new AzureError(
    409,
    "AnotherOperationInProgress",
    `Another operation on this or dependent resource is in progress. Resource: ${resource.id}.`,
  );
}

function splitType(type: string): { namespace: string; parentTypes: string[]; lastType: string } {
  const [namespace = "", ...segments] = type.split("/");
  return { namespace, parentTypes: segments.slice(0, -1), lastType: segments.at(-1) ?? "" };
}
