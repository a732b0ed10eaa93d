import { randomUUID } from "node:crypto";

import { AzureError } from "./errors";
import type { ResourceType } from "./resource-type";
import type { Principal, Resource } from "./state";

/** Type of user-assigned identities. */
export const IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities";

/**
 * User-assigned identities. Creating one creates its service principal; deleting it deletes that,
 * and leaves its role assignments behind as orphans. "Managed Identity" REST API,
 * https://learn.microsoft.com/rest/api/managedidentity/user-assigned-identities.
 */
export const USER_ASSIGNED_IDENTITIES: ResourceType = {
  type: IDENTITY_TYPE,
  apiVersions: ["2018-11-30", "2023-01-31", "2024-11-30"],
  isTracked: true,
  isLongRunning: false,
  patch: "tags",

  checkName(name) {
    if (/^[a-z0-9][a-z0-9_-]{2,127}$/i.test(name)) return;
    throw new AzureError(
      400,
      "InvalidResourceName",
      `The resource name '${name}' is not valid. It must have 3 to 128 characters, only letters, digits, '-' and '_', and start with a letter or digit.`,
    );
  },

  put({ existing, id }, { state }) {
    const principal =
      existing === undefined ? createPrincipal(state.principals, id) : getIdentityIds(existing);
    return { properties: { tenantId: state.tenantId, ...principal } };
  },

  afterDelete(identity, { state }) {
    state.principals.delete(getIdentityIds(identity).principalId);
  },
};

/** The ids of an identity's service principal. */
export interface IdentityIds {
  principalId: string;
  clientId: string;
}

/** The ids of the service principal that belongs to a user-assigned identity. */
export function getIdentityIds(identity: Resource): IdentityIds {
  const { principalId, clientId } = identity.properties;
  return { principalId: String(principalId), clientId: String(clientId) };
}

/** Creates the service principal of a managed identity, with random ids as the directory gives. */
export function createPrincipal(
  principals: Map<string, Principal>,
  resourceId: string,
): IdentityIds {
  const principal: Principal = {
    id: randomUUID(),
    appId: randomUUID(),
    type: "ServicePrincipal",
    resourceId,
  };
  principals.set(principal.id, principal);
  return { principalId: principal.id, clientId: principal.appId };
}
