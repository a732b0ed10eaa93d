import { AzureError } from "./errors";
import { isSameText, listResources } from "./state";
import type { State } from "./state";
import type { Caller } from "./tokens";

/** Type of the resources that role assignments are kept as. */
export const ROLE_ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments";

/** What a role allows in the control plane; wildcards as in Azure. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

/** A built-in role. */
export interface Role extends Permission {
  /** The role definition's GUID, the same in every tenant. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
}

/** Built-in roles, from "Azure built-in roles", https://learn.microsoft.com/azure/role-based-access-control/built-in-roles. */
export const BUILT_IN_ROLES: readonly Role[] = [
  {
    id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    name: "Owner",
    description:
      "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.",
    actions: ["*"],
    notActions: [],
  },
  {
    id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
    name: "Contributor",
    description:
      "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.",
    actions: ["*"],
    notActions: [
      "Microsoft.Authorization/*/Delete",
      "Microsoft.Authorization/*/Write",
      "Microsoft.Authorization/elevateAccess/Action",
      "Microsoft.Blueprint/blueprintAssignments/write",
      "Microsoft.Blueprint/blueprintAssignments/delete",
      "Microsoft.Compute/galleries/share/action",
      "Microsoft.Purview/consents/write",
      "Microsoft.Purview/consents/delete",
    ],
  },
  {
    id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    name: "Reader",
    description: "View all resources, but does not allow you to make any changes.",
    actions: ["*/read"],
    notActions: [],
  },
  {
    id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
    name: "User Access Administrator",
    description: "Lets you manage user access to Azure resources.",
    actions: ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
    notActions: [],
  },
];

/** The role whose definition id ends in that GUID; undefined when there is none. */
export function findRole(roleDefinitionId: string): Role | undefined {
  const guid = roleDefinitionId.split("/").at(-1);
  return BUILT_IN_ROLES.find((role) => isSameText(role.id, guid));
}

/** A role that a principal has, and where. */
interface Grant {
  readonly scope: string;
  readonly role: Role;
}

/** All roles of a principal that count by now: each does from `propagationMs` after its assignment. */
export function listGrants(state: State, objectId: string, propagationMs: number): Grant[] {
  const now = Date.now();
  return listResources(state, ROLE_ASSIGNMENT_TYPE).flatMap(({ properties }) => {
    const counts =
      isSameText(String(properties["principalId"]), objectId) &&
      Date.parse(String(properties["createdOn"])) + propagationMs <= now;
    const role = counts ? findRole(String(properties["roleDefinitionId"])) : undefined;
    return role === undefined ? [] : [{ scope: String(properties["scope"]), role }];
  });
}

/** The permissions that a principal has at a scope, one entry for each role assigned to it there or above. */
export function listPermissions(
  state: State,
  objectId: string,
  scope: string,
  propagationMs: number,
): Role[] {
  return listGrants(state, objectId, propagationMs)
    .filter((grant) => isAtOrBelow(scope, grant.scope))
    .map(({ role }) => role);
}

/**
 * Checks that a caller may do `action` at `scope`.
 * @throws AzureError 403 AuthorizationFailed, in Azure's words.
 */
export function authorize(
  state: State,
  caller: Caller,
  action: string,
  scope: string,
  propagationMs: number,
): void {
  const permissions = listPermissions(state, caller.objectId, scope, propagationMs);
  if (permissions.some((permission) => isAllowed(permission, action))) return;
  throw authorizationFailed(caller, action, scope);
}

/** 403 for a caller that may not do something. */
export function authorizationFailed(caller: Caller, action: string, scope: string): AzureError {
  return new AzureError(
    403,
    "AuthorizationFailed",
    `The client '${caller.appId}' with object id '${caller.objectId}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

/** True when a permission covers an action: among its actions and not among its notActions. */
export function isAllowed(permission: Permission, action: string): boolean {
  const covers = (pattern: string) => toRegExp(pattern).test(action);
  return permission.actions.some(covers) && !permission.notActions.some(covers);
}

/** True when `scope` is `ancestor` or lies below it; both are resource ids. */
export function isAtOrBelow(scope: string, ancestor: string): boolean {
  const low = scope.toLowerCase();
  const high = ancestor.toLowerCase();
  return low === high || low.startsWith(high.endsWith("/") ? high : `${high}/`);
}

/** In an action pattern `*` stands for any text, slashes included. */
function toRegExp(pattern: string): RegExp {
  const literals = pattern.split("*").map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`, "i");
}
