import * as authorization from "@pulumi/azure-native/authorization";
import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "./config";
import { getSubscriptionId } from "./resource-id";

/** The group that everything goes into, and that the identity may read. */
export interface ResourceGroup {
  readonly name: pulumi.Output<string>;
  readonly id: pulumi.Output<string>;
}

/** Creates the resource group, unless the settings name one that exists: that one is neither changed nor ever deleted. */
export function createResourceGroup(settings: Settings): ResourceGroup {
  if (settings.resourceGroupId !== undefined) return useResourceGroup(settings.resourceGroupId);
  return new resources.ResourceGroup("resource-group", {
    location: settings.location,
    tags: settings.tags,
  });
}

/** Its id tells all that there is to know, except whether deployments go to the same subscription. */
function useResourceGroup(id: string): ResourceGroup {
  const ownSubscription = getSubscriptionId(id);
  const checkedId = authorization.getClientConfigOutput().apply(({ subscriptionId }) => {
    if (subscriptionId.toLowerCase() === ownSubscription.toLowerCase()) return id;
    // Else the VM would go into a group of the same name elsewhere, and the role on this one.
    throw new pulumi.RunError(
      `\nresourceGroupId is in subscription ${ownSubscription}, but the deployment goes to ${subscriptionId}.\n` +
        `    fix: pulumi config set azure-native:subscriptionId ${ownSubscription}`,
    );
  });
  return { name: checkedId.apply((text) => text.split("/").at(-1) ?? ""), id: checkedId };
}
