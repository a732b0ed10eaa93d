import * as managedidentity from "@pulumi/azure-native/managedidentity";
import type * as resources from "@pulumi/azure-native/resources";
import type { Settings } from "./config";

/**
 * Step 1: the user-assigned managed identity. It lives apart from any VM, so that one identity can
 * serve several machines and outlive each of them.
 */
export function createIdentity(
  settings: Settings,
  resourceGroup: resources.ResourceGroup,
): managedidentity.UserAssignedIdentity {
  return new managedidentity.UserAssignedIdentity("identity", {
    resourceGroupName: resourceGroup.name,
    resourceName: settings.identityName,
    location: settings.location,
    tags: settings.tags,
  });
}
