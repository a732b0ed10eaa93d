import * as pulumi from "@pulumi/pulumi";
import { READER_ROLE, grantReader } from "./infra/access";
import { loadSettings } from "./infra/config";
import { createIdentity } from "./infra/identity";
import { createNetwork } from "./infra/network";
import { proveAccess } from "./infra/proof";
import { createResourceGroup } from "./infra/resource-group";
import { createWindowsVms, mapByName } from "./infra/windows-vm";

const settings = loadSettings(new pulumi.Config());

// Everything lives in one resource group, which is also what the identity may read.
const resourceGroup = createResourceGroup(settings);

// Step 1: a user-assigned managed identity.
const identity = createIdentity(settings, resourceGroup);

// The network of the VMs: nothing comes in unless the settings say so, one way out.
const subnet = createNetwork(settings, resourceGroup);

// Step 2: a Windows VM that carries the identity, or several.
const vms = createWindowsVms(settings, resourceGroup, subnet, identity);

// Step 3: Reader on the resource group for the identity, nothing wider.
const roleAssignment = grantReader(resourceGroup, identity);

// Steps 4 and 5, the token and the resource group, happen on the VMs: see verify/. Here on request.
export const verifyResults = proveAccess(settings, resourceGroup, vms, identity, roleAssignment);

export const resourceGroupName = resourceGroup.name;
export const resourceGroupId = resourceGroup.id;
export const identityName = identity.name;
export const identityId = identity.id;
export const identityClientId = identity.clientId;
export const identityPrincipalId = identity.principalId;
export const identityTenantId = identity.tenantId;
/** The first VM, or the only one. */
export const vmName = vms[0].resource.name;
export const vmId = vms[0].resource.id;
// By the names of the VMs:
export const vmIds = mapByName(vms, ({ resource }) => resource.id);
export const publicAddresses = mapByName(vms, ({ publicAddress }) => publicAddress?.ipAddress);
export const role = READER_ROLE.name;
export const roleAssignmentId = roleAssignment.id;
export const roleAssignmentScope = roleAssignment.scope;
/** Runs on each VM, beside the built dist/verify.js: it learns from the VM which identity and which group are meant. */
export const verifyCommand = "node verify.js";
