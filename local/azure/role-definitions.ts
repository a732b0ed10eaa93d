import type { Azure } from "./context";
import { AzureError, notImplemented } from "./errors";
import { BUILT_IN_ROLES, findRole, listPermissions } from "./rbac";
import type { Role } from "./rbac";
import { fillPath, getParam, GROUP_PATH, SUBSCRIPTION_PATH } from "./route";
import type { Route } from "./route";

const TYPE = "Microsoft.Authorization/roleDefinitions";
const API_VERSIONS = ["2015-07-01", "2018-01-01-preview", "2022-04-01"];

/**
 * Role definitions (built-in ones only) and the caller's permissions. "Authorization" REST API,
 * https://learn.microsoft.com/rest/api/authorization/role-definitions and …/permissions.
 */
export function getRoleDefinitionRoutes(azure: Azure): Route[] {
  const { state } = azure;

  function toBody(role: Role): Record<string, unknown> {
    return {
      id: getRoleDefinitionId(state.subscriptionId, role),
      type: TYPE,
      name: role.id,
      properties: {
        roleName: role.name,
        type: "BuiltInRole",
        description: role.description,
        assignableScopes: ["/"],
        permissions: [toPermission(role)],
      },
    };
  }

  const definitions = ["", SUBSCRIPTION_PATH, GROUP_PATH].flatMap((scope): Route[] => {
    // No action: whoever is in the tenant can read role definitions (inferred).
    const common = { type: TYPE, apiVersions: API_VERSIONS, method: "GET" as const };
    return [
      {
        ...common,
        path: `${scope}/providers/${TYPE}`,
        query: ["$filter"],
        handle: ({ query }) => {
          const roles = BUILT_IN_ROLES.filter(readRoleFilter(query["$filter"]));
          return { status: 200, body: { value: roles.map(toBody) } };
        },
      },
      {
        ...common,
        path: `${scope}/providers/${TYPE}/:name`,
        handle: ({ params }) => {
          const name = getParam(params, "name");
          const role = findRole(name);
          if (role === undefined) throw roleDefinitionDoesNotExist(name);
          return { status: 200, body: toBody(role) };
        },
      },
    ];
  });

  const permissions: Route = {
    method: "GET",
    path: `${GROUP_PATH}/providers/Microsoft.Authorization/permissions`,
    type: "Microsoft.Authorization/permissions",
    apiVersions: API_VERSIONS,
    action: "Microsoft.Authorization/permissions/read",
    getScope: (params) => fillPath(GROUP_PATH, params),
    handle: ({ params, caller }) => {
      const scope = fillPath(GROUP_PATH, params);
      const roles = listPermissions(state, caller.objectId, scope, azure.rolePropagationMs);
      return { status: 200, body: { value: roles.map(toPermission) } };
    },
  };
  return [...definitions, permissions];
}

/** The role definition id as role assignments carry it: scoped to the subscription. */
export function getRoleDefinitionId(subscriptionId: string, role: Role): string {
  return `/subscriptions/${subscriptionId}/providers/${TYPE}/${role.id}`;
}

/** 404 as in https://github.com/pumasecurity/serverless-prey/issues/23. */
export function roleDefinitionDoesNotExist(name: string): AzureError {
  return new AzureError(
    404,
    "RoleDefinitionDoesNotExist",
    `The specified role definition with ID '${name}' does not exist.`,
  );
}

function toPermission(role: Role): Record<string, unknown> {
  return {
    actions: role.actions,
    notActions: role.notActions,
    dataActions: [],
    notDataActions: [],
  };
}

function readRoleFilter(filter: string | undefined): (role: Role) => boolean {
  if (filter === undefined) return () => true;
  const [, roleName] = /^roleName eq '([^']*)'$/i.exec(filter) ?? [];
  if (roleName === undefined) throw notImplemented(`the filter "${filter}" on role definitions`);
  return (role) => role.name === roleName;
}
