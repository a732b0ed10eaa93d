import * as resources from "@pulumi/azure-native/resources";
import * as pulumi from "@pulumi/pulumi";
import { READER_ROLE, getSubscriptionId, grantReader } from "./infra/access";
import { loadSettings } from "./infra/config";
import { createIdentity } from "./infra/identity";
import { createNetwork } from "./infra/network";
import { createWindowsVm } from "./infra/windows-vm";

const settings = loadSettings(new pulumi.Config());

// Everything lives in one resource group, which is also what the identity may read.
const resourceGroup = new resources.ResourceGroup("resource-group", {
  location: settings.location,
  tags: settings.tags,
});

// Step 1: a user-assigned managed identity.
const identity = createIdentity(settings, resourceGroup);

// The VM's network: nothing comes in, one way out.
const networkInterface = createNetwork(settings, resourceGroup);

// Step 2: a Windows VM that carries the identity.
const vm = createWindowsVm(settings, resourceGroup, networkInterface, identity);

// Step 3: Reader on the resource group for the identity, nothing wider.
const roleAssignment = grantReader(resourceGroup, identity);

// Steps 4 and 5, the token and the resource group, happen on the VM: see verify/.

export const resourceGroupName = resourceGroup.name;
export const resourceGroupId = resourceGroup.id;
export const identityName = identity.name;
export const identityId = identity.id;
export const identityClientId = identity.clientId;
export const identityPrincipalId = identity.principalId;
export const identityTenantId = identity.tenantId;
export const vmName = vm.name;
export const vmId = vm.id;
export const role = READER_ROLE.name;
export const roleAssignmentId = roleAssignment.id;
export const roleAssignmentScope = roleAssignment.scope;
/** Runs on the VM, beside the built dist/verify.js. */
export const verifyCommand = pulumi.interpolate`node verify.js --client-id ${identity.clientId} --subscription-id ${resourceGroup.id.apply(getSubscriptionId)} --resource-group ${resourceGroup.name}`;
