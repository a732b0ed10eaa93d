import type { Azure } from "./context";
import { AzureError, invalidRequestContent, notImplemented } from "./errors";
import { readObject, readText } from "./json";
import type { JsonObject } from "./json";
import { isAtOrBelow } from "./rbac";
import { fillPath, getParam } from "./route";
import type { ArmAnswer, ArmRequest, Route } from "./route";
import { getCanonicalScope, SCOPE_PATHS } from "./scopes";
import { findResource, isSameText, listResources, removeResource, storeResource } from "./state";
import type { Resource, State } from "./state";

/** Type of the resources that management locks are kept as. */
const LOCK_TYPE = "Microsoft.Authorization/locks";
const API_VERSIONS = ["2016-09-01", "2020-05-01"];
const LEVELS = ["CanNotDelete", "ReadOnly"] as const;

/**
 * Management locks. "Management Locks" REST API,
 * https://learn.microsoft.com/rest/api/resources/management-locks. Codes and messages of refusals to
 * read or write a lock are inferred.
 */
export function getLockRoutes({ state }: Azure): Route[] {
  return SCOPE_PATHS.flatMap((scopePath) => getRoutesAt(state, scopePath));
}

function getRoutesAt(state: State, scopePath: string): Route[] {
  const listPath = `${scopePath}/providers/${LOCK_TYPE}`;
  const path = `${listPath}/:name`;
  const common = {
    type: LOCK_TYPE,
    apiVersions: API_VERSIONS,
    path,
    getScope: (params: Readonly<Record<string, string>>) => fillPath(scopePath, params),
    // Else none could ever be taken away.
    isAboveLocks: true,
  };

  function put(request: ArmRequest): ArmAnswer {
    const scope = getCanonicalScope(state, fillPath(scopePath, request.params));
    const name = getParam(request.params, "name");
    const properties = readObject(readObject(request.body, "body")["properties"], "properties");
    const level = readText(properties["level"], "properties.level");
    const known = LEVELS.find((one) => isSameText(one, level));
    if (known === undefined) {
      throw invalidRequestContent(`Expected ${LEVELS.join(" or ")} at 'properties.level'`);
    }
    if (properties["owners"] !== undefined && properties["owners"] !== null) {
      throw notImplemented("locks with owners");
    }
    const id = `${scope}/providers/${LOCK_TYPE}/${name}`;
    const existing = findResource(state, id);
    const notes = readText(properties["notes"], "properties.notes");
    const lock: Resource = {
      id: existing?.id ?? id,
      name: existing?.name ?? name,
      type: LOCK_TYPE,
      properties: { level: known, ...(notes === undefined ? {} : { notes }) },
    };
    storeResource(state, lock);
    return { status: existing === undefined ? 201 : 200, body: toBody(lock) };
  }

  function find(request: ArmRequest): Resource | undefined {
    return findResource(state, fillPath(path, request.params));
  }

  function get(request: ArmRequest): ArmAnswer {
    const lock = find(request);
    if (lock !== undefined) return { status: 200, body: toBody(lock) };
    const name = getParam(request.params, "name");
    throw new AzureError(404, "LockNotFound", `The lock '${name}' could not be found.`);
  }

  function remove(request: ArmRequest): ArmAnswer {
    const lock = find(request);
    if (lock === undefined) return { status: 204 };
    removeResource(state, lock.id);
    return { status: 200 };
  }

  /** Those that the scope inherits, its own and those below it. */
  function list(request: ArmRequest): ArmAnswer {
    const scope = fillPath(scopePath, request.params);
    const locks = listResources(state, LOCK_TYPE).filter(
      (lock) => isAtOrBelow(scope, getScopeOf(lock)) || isAtOrBelow(lock.id, scope),
    );
    return { status: 200, body: { value: locks.map(toBody) } };
  }

  const read = `${LOCK_TYPE}/read`;
  return [
    { ...common, method: "PUT", action: `${LOCK_TYPE}/write`, handle: put },
    { ...common, method: "GET", action: read, handle: get },
    { ...common, method: "DELETE", action: `${LOCK_TYPE}/delete`, handle: remove },
    { ...common, method: "GET", path: listPath, action: read, handle: list },
  ];
}

/**
 * Checks that no lock forbids a request to what stands at `target`. A lock holds for its scope and all
 * below; what has something locked below it can't be deleted either. A POST counts as a write. "Lock your
 * Azure resources", https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources.
 * @throws AzureError 409 ScopeLocked, as in https://github.com/Azure/azure-sdk-for-java/issues/2560
 */
export function checkLocks(state: State, method: Route["method"], target: string): void {
  if (method === "GET" || method === "HEAD") return;
  const isDeletion = method === "DELETE";
  const scopes = listResources(state, LOCK_TYPE).flatMap((lock) => {
    const scope = getScopeOf(lock);
    const isInTheWay = isAtOrBelow(target, scope) || (isDeletion && isAtOrBelow(scope, target));
    const counts = isDeletion || lock.properties["level"] === "ReadOnly";
    return isInTheWay && counts ? [scope] : [];
  });
  if (scopes.length === 0) return;
  throw new AzureError(
    409,
    "ScopeLocked",
    `The scope '${target}' cannot perform ${isDeletion ? "delete" : "write"} operation because following scope(s) are locked: '${[...new Set(scopes)].join(",")}'. Please remove the lock and try again.`,
  );
}

function getScopeOf({ id }: Resource): string {
  return id.slice(0, id.lastIndexOf(`/providers/${LOCK_TYPE}/`));
}

function toBody({ id, name, type, properties }: Resource): JsonObject {
  return { id, name, type, properties };
}
