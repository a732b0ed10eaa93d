import type { Azure } from "../context";
import { AzureError, invalidRequestContent } from "../errors";
import { mergePatch, readObject, readText } from "../json";
import type { JsonObject } from "../json";
import { createPrincipal, getIdentityIds, IDENTITY_TYPE } from "../managed-identities";
import type { PutRequest } from "../resource-type";
import { findResourceOfType, isSameText } from "../state";
import type { Resource } from "../state";

const IDENTITY_TYPES = ["None", "SystemAssigned", "UserAssigned"] as const;

/**
 * Works out a VM's `identity`: `{type, principalId?, tenantId?, userAssignedIdentities: {[id]:
 * {principalId, clientId}}}`. "Configure managed identities on Azure VMs",
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-configure-managed-identities.
 * @throws AzureError 400 FailedIdentityOperation for an identity that doesn't exist
 */
export function createVmIdentity(request: PutRequest, azure: Azure): JsonObject | undefined {
  const wanted = readObject(request.body["identity"], "identity");
  const kinds = readKinds(readText(wanted["type"], "identity.type"), wanted);
  const ids = readObject(wanted["userAssignedIdentities"], "identity.userAssignedIdentities");
  const assigned = Object.keys(ids).map((id) => getIdentity(id, request.id, azure));
  const isUserAssigned = kinds.includes("UserAssigned");
  if (!isUserAssigned && assigned.length > 0) {
    // As in https://github.com/Azure/aad-pod-identity/issues/214.
    throw new AzureError(
      400,
      "InvalidParameter",
      `ResourceIdentity identityIds should not be provided if the type is "${kinds.join(", ")}".`,
      { target: "resourceIdentity.identityIds" },
    );
  }
  if (isUserAssigned && assigned.length === 0) {
    throw new AzureError(
      400,
      "InvalidParameter",
      "ResourceIdentity identityIds should be provided if the type is UserAssigned.",
      { target: "resourceIdentity.identityIds" },
    );
  }
  if (kinds.length === 0) {
    removeSystemPrincipal(request.existing, azure);
    return undefined;
  }
  return {
    type: kinds.join(", "),
    ...getSystemIdentity(kinds, request, azure),
    ...(isUserAssigned
      ? {
          userAssignedIdentities: Object.fromEntries(
            assigned.map((identity) => [identity.id, getIdentityIds(identity)]),
          ),
        }
      : {}),
  };
}

/**
 * The VM that a PATCH asks for: a merge, except that an identity type without "UserAssigned" takes
 * the user-assigned identities away. "Configure managed identities on Azure VMs using REST",
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-configure-managed-identities?pivots=qs-configure-rest-vm.
 */
export function patchVirtualMachine(shown: JsonObject, patch: JsonObject): JsonObject {
  const patched = withShownIds(shown, patch);
  const { type, userAssignedIdentities } = readObject(patched["identity"], "identity");
  const merged = readObject(mergePatch(shown, patched), "body");
  const isUserAssigned = /UserAssigned/i.test(readText(type, "identity.type") ?? "UserAssigned");
  if (isUserAssigned) return merged;
  const identity = { ...readObject(merged["identity"], "identity"), userAssignedIdentities };
  return { ...merged, identity };
}

/** The patch with the ids of identities cased as the VM shows them: in whatever casing, they are the same. */
function withShownIds(shown: JsonObject, patch: JsonObject): JsonObject {
  const identity = readObject(patch["identity"], "identity");
  const path = "identity.userAssignedIdentities";
  const ids = readObject(identity["userAssignedIdentities"], path);
  if (Object.keys(ids).length === 0) return patch;
  const shownIds = Object.keys(
    readObject(readObject(shown["identity"], "identity")["userAssignedIdentities"], path),
  );
  const userAssignedIdentities = Object.fromEntries(
    Object.entries(ids).map(([id, value]) => [
      shownIds.find((one) => isSameText(one, id)) ?? id,
      value,
    ]),
  );
  return { ...patch, identity: { ...identity, userAssignedIdentities } };
}

/** Deletes the service principal of a VM's system-assigned identity, if it has one. */
export function removeSystemPrincipal(virtualMachine: Resource | undefined, azure: Azure): void {
  const principalId = virtualMachine?.identity?.["principalId"];
  if (typeof principalId === "string") azure.state.principals.delete(principalId);
}

function readKinds(type: string | undefined, wanted: JsonObject): string[] {
  if (type === undefined) {
    if (Object.keys(wanted).length === 0) return [];
    throw invalidRequestContent("Required property 'type' not found in JSON. Path 'identity'.");
  }
  const kinds = type.split(",").map((text) => {
    const kind = IDENTITY_TYPES.find((known) => isSameText(known, text.trim()));
    if (kind !== undefined) return kind;
    throw invalidRequestContent(`Error converting value '${type}' to identity type`);
  });
  return kinds.filter((kind) => kind !== "None");
}

function getIdentity(id: string, vmId: string, azure: Azure): Resource {
  const identity = findResourceOfType(azure.state, IDENTITY_TYPE, id);
  if (identity !== undefined) return identity;
  throw new AzureError(
    400,
    "FailedIdentityOperation",
    `Identity operation for resource '${vmId}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{"error":{"code":"BadRequest","message":"Resource '${id}' was not found."}}'.'.`,
  );
}

function getSystemIdentity(
  kinds: readonly string[],
  { existing, id }: PutRequest,
  azure: Azure,
): JsonObject {
  if (!kinds.includes("SystemAssigned")) {
    removeSystemPrincipal(existing, azure);
    return {};
  }
  const principalId =
    existing?.identity?.["principalId"] ?? createPrincipal(azure.state.principals, id).principalId;
  return { principalId, tenantId: azure.state.tenantId };
}
