import * as managedidentity from "@pulumi/azure-native/managedidentity";
import type { Settings } from "./config";
import type { ResourceGroup } from "./resource-group";

/**
 * Step 1: the user-assigned managed identity. It lives apart from any VM, so that one identity can
 * serve several machines and outlive each of them. One that exists is only read, wherever it is, and
 * never deleted.
 */
export function createIdentity(
  settings: Settings,
  resourceGroup: ResourceGroup,
): managedidentity.UserAssignedIdentity {
  if (settings.identityId !== undefined) {
    return managedidentity.UserAssignedIdentity.get("existing-identity", settings.identityId);
  }
  return new managedidentity.UserAssignedIdentity(
    "identity",
    {
      resourceGroupName: resourceGroup.name,
      resourceName: settings.identityName,
      location: settings.location,
      tags: settings.tags,
    },
    {
      // A new name means a new identity: the VMs carry it, and it may read the group, before the old one goes.
      deleteBeforeReplace: false,
      // In a group that stays, another location would ask for a second identity of the same name. It works from anywhere.
      ignoreChanges: settings.resourceGroupId === undefined ? [] : ["location"],
    },
  );
}
