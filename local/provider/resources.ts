import { POLLING } from "./clients";
import { COMPUTE_KINDS } from "./compute-kinds";
import { NETWORK_KINDS } from "./network-kinds";
import { defineKind, RESOURCE_GROUP_PATH, type ResourceKind } from "./resource-kind";

/**
 * The resource types the stand-in knows, by type token. Paths, inputs, naming and API versions are those of azure-native
 * 3.28 (test/local/provider compares them with its SDK); what forces a replacement is `replacement.go` in
 * pulumi-azure-native and the `x-ms-mutability` of `location` in Azure's API descriptions, which network interfaces,
 * security groups and NAT gateways lack.
 */
const KINDS: Record<string, ResourceKind> = {
  "azure-native:resources:ResourceGroup": defineKind({
    path: RESOURCE_GROUP_PATH,
    apiVersion: "2024-03-01",
    nameKey: "resourceGroupName",
    autoNaming: "random",
    bodyInputs: ["location", "managedBy", "tags"],
    required: ["location"],
    forceNew: ["location"],
    put: (c, k, body) => c.resources.resourceGroups.createOrUpdate(k.resourceGroupName, body),
    get: (c, k) => c.resources.resourceGroups.get(k.resourceGroupName),
    delete: (c, k) => c.resources.resourceGroups.beginDeleteAndWait(k.resourceGroupName, POLLING),
  }),

  "azure-native:managedidentity:UserAssignedIdentity": defineKind({
    path: `${RESOURCE_GROUP_PATH}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`,
    apiVersion: "2023-01-31",
    nameKey: "resourceName",
    autoNaming: "random",
    bodyInputs: ["location", "tags"],
    required: ["location"],
    forceNew: ["location"],
    put: (c, k, body) =>
      c.identity.userAssignedIdentities.createOrUpdate(k.resourceGroupName, k.resourceName, body),
    get: (c, k) => c.identity.userAssignedIdentities.get(k.resourceGroupName, k.resourceName),
    delete: (c, k) => c.identity.userAssignedIdentities.delete(k.resourceGroupName, k.resourceName),
  }),

  "azure-native:authorization:RoleAssignment": defineKind({
    path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    apiVersion: "2022-04-01",
    nameKey: "roleAssignmentName",
    autoNaming: "uuid",
    bodyInputs: [
      "principalId",
      "roleDefinitionId",
      "condition",
      "conditionVersion",
      "delegatedManagedIdentityResourceId",
      "description",
      "principalType",
    ],
    required: ["principalId", "roleDefinitionId"],
    forceNew: ["principalId"],
    put: (c, k, body) =>
      c.authorization.roleAssignments.create(k.scope, k.roleAssignmentName, body),
    get: (c, k) => c.authorization.roleAssignments.get(k.scope, k.roleAssignmentName),
    delete: (c, k) => c.authorization.roleAssignments.delete(k.scope, k.roleAssignmentName),
  }),

  ...NETWORK_KINDS,
  ...COMPUTE_KINDS,
};

/** The type tokens of all kinds the stand-in knows. */
export const TYPE_TOKENS: readonly string[] = Object.keys(KINDS);

/** What the stand-in knows of a type; undefined for a type it doesn't know. */
export function findKnownKind(typeToken: string): ResourceKind | undefined {
  return KINDS[typeToken];
}

/**
 * What the stand-in knows of a type.
 * @throws Error for a type it doesn't know.
 */
export function findKind(typeToken: string): ResourceKind {
  const kind = findKnownKind(typeToken);
  if (kind) return kind;
  throw new Error(
    `The stand-in for azure-native doesn't know the resource type '${typeToken}'. ` +
      "Deploy it to real Azure, or add it to local/provider/resources.ts.",
  );
}
