/**
 * What loading and type-checking this repository's program is measured against: hardly more than the
 * parts of azure-native that it imports. One resource of each, else TypeScript leaves the import out.
 */
import * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import * as managedidentity from "@pulumi/azure-native/managedidentity";
import * as network from "@pulumi/azure-native/network";
import * as resources from "@pulumi/azure-native/resources";

const location = "westeurope";
const group = new resources.ResourceGroup("group", { location });
const common = { resourceGroupName: group.name, location };
const identity = new managedidentity.UserAssignedIdentity("identity", common);
new network.VirtualNetwork("network", common);
new compute.VirtualMachine("vm", common);
new authorization.RoleAssignment("role", {
  scope: group.id,
  principalId: identity.principalId,
  roleDefinitionId: "role",
});
