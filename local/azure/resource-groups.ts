import type { Azure } from "./context";
import { AzureError } from "./errors";
import { mergePatch, readObject, readText } from "./json";
import { readLocation } from "./locations";
import { getGroupOperationHeaders } from "./operation-routes";
import { authorizationFailed, isAllowed, isAtOrBelow, listGrants } from "./rbac";
import { deleteNow, getGroup } from "./resources";
import type { ResourceType } from "./resource-type";
import { fillPath, getParam, GROUP_PATH, SUBSCRIPTION_PATH } from "./route";
import type { ArmAnswer, ArmRequest, Route } from "./route";
import { findResource, listBelow, listResources, removeResource, storeResource } from "./state";
import type { Resource } from "./state";
import { readTags } from "./tags";

/** Type of the resources that resource groups are kept as. */
const GROUP_TYPE = "Microsoft.Resources/resourceGroups";

/** The tutorial asks with 2016-06-01, verify with 2021-04-01, Pulumi's provider with 2024-03-01. */
const API_VERSIONS = ["2016-06-01", "2020-06-01", "2021-04-01", "2024-03-01", "2024-11-01"];

/**
 * Resource groups, and the list of what is in one. "Resource Groups" REST API,
 * https://learn.microsoft.com/rest/api/resources/resource-groups.
 * `resourceTypes` are all the types that can be in a group.
 */
export function getResourceGroupRoutes(
  azure: Azure,
  resourceTypes: readonly ResourceType[],
): Route[] {
  const { state } = azure;
  const common = {
    path: GROUP_PATH,
    type: GROUP_TYPE,
    apiVersions: API_VERSIONS,
    getScope: (params: Readonly<Record<string, string>>) => fillPath(GROUP_PATH, params),
  };
  const readAction = "Microsoft.Resources/subscriptions/resourceGroups/read";
  const writeAction = "Microsoft.Resources/subscriptions/resourceGroups/write";

  function put(request: ArmRequest): ArmAnswer {
    const name = getParam(request.params, "group");
    const id = `/subscriptions/${state.subscriptionId}/resourceGroups/${name}`;
    const existing = findResource(state, id);
    if (existing !== undefined) getGroup(azure, request, true);
    else checkGroupName(name);
    const body = readObject(request.body, "body");
    const location = readLocation(readText(body["location"], "location"), GROUP_TYPE);
    if (existing?.location !== undefined && existing.location !== location) {
      throw new AzureError(
        409,
        "InvalidResourceGroupLocation",
        `Invalid resource group location '${location}'. The Resource group already exists in location '${existing.location}'.`,
      );
    }
    const group: Resource = {
      id: existing?.id ?? id,
      name: existing?.name ?? name,
      type: GROUP_TYPE,
      location,
      tags: readTags(body["tags"]),
      managedBy: readText(body["managedBy"], "managedBy"),
      properties: { provisioningState: "Succeeded" },
    };
    storeResource(state, group);
    return { status: existing ? 200 : 201, body: toGroupBody(group) };
  }

  function patch(request: ArmRequest): ArmAnswer {
    const group = getGroup(azure, request, true);
    const body = readObject(request.body, "body");
    group.tags = readTags(mergePatch(group.tags, readObject(body["tags"], "tags")));
    return { status: 200, body: toGroupBody(group) };
  }

  /**
   * The groups that the caller may read, with a role of whatever scope: without a role that reads
   * groups there are none, as in https://github.com/Azure/enterprise-azure-policy-as-code/issues/545.
   * That a caller without any role in the subscription is refused is inferred.
   */
  function list({ caller, params }: ArmRequest): ArmAnswer {
    const grants = listGrants(state, caller.objectId, azure.rolePropagationMs);
    const scope = fillPath(SUBSCRIPTION_PATH, params);
    if (grants.length === 0) throw authorizationFailed(caller, readAction, scope);
    const groups = listResources(state, GROUP_TYPE).filter(({ id }) =>
      grants.some((grant) => isAtOrBelow(id, grant.scope) && isAllowed(grant.role, readAction)),
    );
    return { status: 200, body: { value: groups.map(toGroupBody) } };
  }

  async function remove(request: ArmRequest): Promise<ArmAnswer> {
    const group = getGroup(azure, request, true);
    group.properties["provisioningState"] = "Deleting";
    const operation = await azure.operations.start(async () => {
      const leftovers = await deleteContents(azure, group, resourceTypes);
      if (leftovers.length === 0) {
        removeResource(state, group.id);
        return;
      }
      group.properties["provisioningState"] = "Succeeded";
      throw deletionBlocked(group, leftovers);
    });
    return { status: 202, headers: getGroupOperationHeaders(operation, request) };
  }

  return [
    { ...common, method: "PUT", action: writeAction, handle: put },
    { ...common, method: "PATCH", action: writeAction, handle: patch },
    {
      ...common,
      method: "GET",
      action: readAction,
      handle: (request) => ({ status: 200, body: toGroupBody(getGroup(azure, request, false)) }),
    },
    {
      ...common,
      method: "HEAD",
      action: readAction,
      handle: (request) => {
        getGroup(azure, request, false);
        return { status: 204 };
      },
    },
    {
      ...common,
      method: "DELETE",
      action: "Microsoft.Resources/subscriptions/resourceGroups/delete",
      handle: remove,
    },
    {
      method: "GET",
      path: `${SUBSCRIPTION_PATH}/resourceGroups`,
      type: GROUP_TYPE,
      apiVersions: API_VERSIONS,
      handle: list,
    },
    {
      ...common,
      method: "GET",
      path: `${GROUP_PATH}/resources`,
      action: "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
      handle: (request) => {
        const trackedTypes = resourceTypes.filter((one) => one.isTracked).map((one) => one.type);
        const resources = listBelow(state, getGroup(azure, request, false).id);
        return {
          status: 200,
          body: {
            value: resources.filter(({ type }) => trackedTypes.includes(type)).map(toListEntry),
          },
        };
      },
    },
  ];
}

/**
 * Deletes what is in a group, users before what they use, and returns why the rest couldn't be.
 * What is used from another group stays, as on Azure.
 */
async function deleteContents(
  azure: Azure,
  group: Resource,
  resourceTypes: readonly ResourceType[],
): Promise<{ resource: Resource; error: AzureError }[]> {
  for (;;) {
    const blocked: { resource: Resource; error: AzureError }[] = [];
    let deletions = 0;
    for (const resource of listBelow(azure.state, group.id)) {
      const resourceType = resourceTypes.find((one) => one.type === resource.type);
      // Role assignments go with the group; a resource may have gone with its parent just now.
      if (resourceType === undefined || !findResource(azure.state, resource.id)) continue;
      const error = resourceType.findUse?.(resource, azure);
      if (error === undefined) {
        await deleteNow(resource, resourceType, azure);
        deletions += 1;
      } else {
        blocked.push({ resource, error });
      }
    }
    if (blocked.length === 0 || deletions === 0) return blocked;
  }
}

/** Seen in https://github.com/Azure/bicep-registry-modules/pull/1607. */
function deletionBlocked(
  group: Resource,
  leftovers: readonly { resource: Resource; error: AzureError }[],
): AzureError {
  const names = leftovers.map(({ resource }) => {
    const [, relative = resource.name] = resource.id.split("/providers/");
    return relative;
  });
  return new AzureError(
    409,
    "ResourceGroupDeletionBlocked",
    `Deletion of resource group '${group.name}' failed as resources with identifiers '${names.join(",")}' could not be deleted. The provisioning state of the resource group will be rolled back. Please check audit logs for more details.`,
    {
      details: leftovers.map(({ resource, error }) => ({
        code: error.code,
        message: error.message,
        target: resource.id,
      })),
    },
  );
}

function toGroupBody(group: Resource): Record<string, unknown> {
  const { id, name, type, location, tags, managedBy, properties } = group;
  return { id, name, type, location, tags, managedBy, properties };
}

function toListEntry(resource: Resource): Record<string, unknown> {
  const { id, name, type, location, tags, managedBy, sku, identity } = resource;
  return { id, name, type, location, tags, managedBy, sku, identity };
}

/** "Naming rules and restrictions for Azure resources", https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. */
function checkGroupName(name: string): void {
  if (/^[\p{L}\p{N}_().-]{1,90}$/u.test(name) && !name.endsWith(".")) return;
  throw new AzureError(
    400,
    "InvalidResourceGroup",
    `The provided resource group name '${name}' is not valid. The name can only have letters, digits, '-', '.', '(', ')' or '_', at most 90 of them, and can't end with '.'.`,
  );
}
