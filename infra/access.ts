import * as authorization from "@pulumi/azure-native/authorization";
import type * as managedidentity from "@pulumi/azure-native/managedidentity";
import type { ResourceGroup } from "./resource-group";
import { getSubscriptionId } from "./resource-id";

/** The built-in role that {@link grantReader} assigns: it reads everything in its scope and changes nothing. */
export const READER_ROLE = {
  name: "Reader",
  /** The same in every tenant ("Azure built-in roles", Reader). */
  id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
} as const;

/** Step 3: the identity may read the resource group, and nothing wider. */
export function grantReader(
  resourceGroup: ResourceGroup,
  identity: managedidentity.UserAssignedIdentity,
): authorization.RoleAssignment {
  return new authorization.RoleAssignment(
    "reader-on-resource-group",
    {
      scope: resourceGroup.id,
      principalId: identity.principalId,
      // Without it Azure looks for a user, and may miss a principal that is seconds old.
      principalType: authorization.PrincipalType.ServicePrincipal,
      roleDefinitionId: resourceGroup.id.apply(
        (id) =>
          `/subscriptions/${getSubscriptionId(id)}/providers/Microsoft.Authorization/roleDefinitions/${READER_ROLE.id}`,
      ),
    },
    {
      // Azure refuses another role on an assignment that exists, and a second equal assignment.
      replaceOnChanges: ["roleDefinitionId"],
      deleteBeforeReplace: true,
    },
  );
}
