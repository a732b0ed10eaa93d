import type { Azure } from "./context";
import { AzureError, notImplemented } from "./errors";
import type { JsonObject } from "./json";
import { readObject, readText } from "./json";
import { findRole, isAtOrBelow, ROLE_ASSIGNMENT_TYPE } from "./rbac";
import { getRoleDefinitionId, roleDefinitionDoesNotExist } from "./role-definitions";
import { fillPath, getParam } from "./route";
import type { ArmAnswer, ArmRequest, Route } from "./route";
import { getCanonicalScope, SCOPE_PATHS } from "./scopes";
import { findResource, isSameText, listResources, removeResource, storeResource } from "./state";
import type { Resource, State } from "./state";

const API_VERSIONS = ["2020-04-01-preview", "2022-04-01"];
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PRINCIPAL_TYPES = ["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"] as const;

/**
 * Role assignments. "Role Assignments" REST API,
 * https://learn.microsoft.com/rest/api/authorization/role-assignments; refusals from
 * "Troubleshoot Azure RBAC", https://learn.microsoft.com/azure/role-based-access-control/troubleshooting.
 */
export function getRoleAssignmentRoutes(azure: Azure): Route[] {
  return SCOPE_PATHS.flatMap((scopePath) => getRoutesAt(azure, scopePath));
}

function getRoutesAt(azure: Azure, scopePath: string): Route[] {
  const { state } = azure;
  const listPath = `${scopePath}/providers/${ROLE_ASSIGNMENT_TYPE}`;
  const path = `${listPath}/:name`;
  const common = {
    type: ROLE_ASSIGNMENT_TYPE,
    apiVersions: API_VERSIONS,
    path,
    getScope: (params: Readonly<Record<string, string>>) => fillPath(scopePath, params),
  };

  function put(request: ArmRequest): ArmAnswer {
    const name = getParam(request.params, "name");
    if (!GUID.test(name)) {
      throw new AzureError(
        400,
        "InvalidRoleAssignmentId",
        `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
      );
    }
    const scope = getCanonicalScope(state, fillPath(scopePath, request.params));
    const properties = readObject(readObject(request.body, "body")["properties"], "properties");
    const wanted = readWanted(azure, properties, scope);
    const id = `${scope}/providers/${ROLE_ASSIGNMENT_TYPE}/${name}`;
    const existing = findResource(state, id);
    if (existing !== undefined) {
      checkSame(existing, wanted);
      return { status: 200, body: toBody(existing) };
    }
    checkNoTwin(state, wanted);
    const now = new Date().toISOString();
    const assignment: Resource = {
      id,
      name,
      type: ROLE_ASSIGNMENT_TYPE,
      properties: {
        ...wanted,
        condition: null,
        conditionVersion: null,
        createdOn: now,
        updatedOn: now,
        createdBy: request.caller.objectId,
        updatedBy: request.caller.objectId,
        delegatedManagedIdentityResourceId: null,
        description: readText(properties["description"], "properties.description") ?? null,
      },
    };
    storeResource(state, assignment);
    return { status: 201, body: toBody(assignment) };
  }

  function find(request: ArmRequest): Resource | undefined {
    return findResource(state, fillPath(path, request.params));
  }

  function get(request: ArmRequest): ArmAnswer {
    const assignment = find(request);
    if (assignment !== undefined) return { status: 200, body: toBody(assignment) };
    throw new AzureError(
      404,
      "RoleAssignmentNotFound",
      `The role assignment '${getParam(request.params, "name")}' is not found.`,
    );
  }

  function remove(request: ArmRequest): ArmAnswer {
    const assignment = find(request);
    if (assignment === undefined) return { status: 204 };
    removeResource(state, assignment.id);
    return { status: 200, body: toBody(assignment) };
  }

  function list(request: ArmRequest): ArmAnswer {
    const scope = fillPath(scopePath, request.params);
    const isWanted = readAssignmentFilter(request.query["$filter"], scope);
    const assignments = listResources(state, ROLE_ASSIGNMENT_TYPE).filter(isWanted);
    return { status: 200, body: { value: assignments.map(toBody) } };
  }

  const read = `${ROLE_ASSIGNMENT_TYPE}/read`;
  return [
    { ...common, method: "PUT", action: `${ROLE_ASSIGNMENT_TYPE}/write`, handle: put },
    { ...common, method: "GET", action: read, handle: get },
    { ...common, method: "DELETE", action: `${ROLE_ASSIGNMENT_TYPE}/delete`, handle: remove },
    { ...common, method: "GET", path: listPath, action: read, query: ["$filter"], handle: list },
  ];
}

interface WantedAssignment extends JsonObject {
  roleDefinitionId: string;
  principalId: string;
  principalType: string;
  scope: string;
}

function readWanted(azure: Azure, properties: JsonObject, scope: string): WantedAssignment {
  const { state } = azure;
  const roleDefinitionId = readText(properties["roleDefinitionId"], "properties.roleDefinitionId");
  const principalId = readText(properties["principalId"], "properties.principalId");
  if (!roleDefinitionId?.includes("/") || principalId === undefined) {
    throw new AzureError(400, "BadRequestFormat", "The request was incorrectly formatted.");
  }
  for (const name of ["condition", "delegatedManagedIdentityResourceId"]) {
    if (properties[name] !== undefined && properties[name] !== null) {
      throw notImplemented(`role assignments with a ${name}`);
    }
  }
  const role = findRole(roleDefinitionId);
  if (role === undefined) {
    throw roleDefinitionDoesNotExist(roleDefinitionId.split("/").at(-1) ?? "");
  }
  if (!GUID.test(principalId)) {
    throw new AzureError(
      400,
      "InvalidPrincipalId",
      `A valid principal ID must be provided for role assignment.`,
    );
  }
  const principalType = readText(properties["principalType"], "properties.principalType");
  return {
    roleDefinitionId: getRoleDefinitionId(state.subscriptionId, role),
    principalId,
    principalType: checkPrincipal(state, principalId, principalType),
    scope,
  };
}

/**
 * The principal's type. A principal that the directory doesn't know (yet) passes only if it is said
 * to be a service principal: then Azure doesn't look it up.
 */
function checkPrincipal(state: State, principalId: string, type: string | undefined): string {
  if (type !== undefined && !PRINCIPAL_TYPES.some((known) => isSameText(known, type))) {
    throw new AzureError(
      400,
      "InvalidPrincipalType",
      `The principal type '${type}' is not valid. The valid types are '${PRINCIPAL_TYPES.join(",")}'.`,
    );
  }
  const principal = state.principals.get(principalId.toLowerCase());
  if (principal === undefined) {
    if (isSameText(type, "ServicePrincipal")) return "ServicePrincipal";
    throw new AzureError(
      400,
      "PrincipalNotFound",
      `Principal ${principalId.replaceAll("-", "")} does not exist in the directory ${state.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype`,
    );
  }
  if (type === undefined || isSameText(type, principal.type)) return principal.type;
  throw new AzureError(
    400,
    "UnmatchedPrincipalType",
    `The PrincipalId '${principalId.replaceAll("-", "")}' has type '${principal.type}' , which is different from specified PrinciaplType '${type}'.`,
  );
}

function checkSame(existing: Resource, wanted: WantedAssignment): void {
  const keys = ["roleDefinitionId", "principalId"] as const;
  if (keys.every((key) => isSameText(String(existing.properties[key]), wanted[key]))) return;
  throw new AzureError(
    400,
    "RoleAssignmentUpdateNotPermitted",
    "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
  );
}

function checkNoTwin(state: State, wanted: WantedAssignment): void {
  const keys = ["roleDefinitionId", "principalId", "scope"] as const;
  const twin = listResources(state, ROLE_ASSIGNMENT_TYPE).find(({ properties }) =>
    keys.every((key) => isSameText(String(properties[key]), wanted[key])),
  );
  if (twin === undefined) return;
  throw new AzureError(
    409,
    "RoleAssignmentExists",
    `The role assignment already exists. The ID of the existing role assignment is ${twin.name.replaceAll("-", "")}.`,
  );
}

/**
 * Without a filter, the assignments at, above and below the scope; `atScope()` leaves out those
 * below, `principalId eq '…'` and `assignedTo('…')` those of others.
 */
function readAssignmentFilter(
  filter: string | undefined,
  scope: string,
): (assignment: Resource) => boolean {
  const isInherited = ({ properties }: Resource) => isAtOrBelow(scope, String(properties["scope"]));
  const isBelow = ({ properties }: Resource) => isAtOrBelow(String(properties["scope"]), scope);
  if (filter === undefined) return (one) => isInherited(one) || isBelow(one);
  if (isSameText(filter, "atScope()")) return isInherited;
  const pattern = /^(?:principalId eq '([^']*)'|assignedTo\('([^']*)'\))$/i;
  const [, equal, assignedTo] = pattern.exec(filter) ?? [];
  const principalId = equal ?? assignedTo;
  if (principalId === undefined) throw notImplemented(`the filter "${filter}" on role assignments`);
  return (one) =>
    isSameText(String(one.properties["principalId"]), principalId) &&
    (isInherited(one) || isBelow(one));
}

function toBody({ id, name, type, properties }: Resource): JsonObject {
  return { id, name, type, properties };
}
