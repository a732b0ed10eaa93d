import { randomUUID } from "node:crypto";
import { ResourceManagementClient, type GenericResource } from "@azure/arm-resources";
import type { LocalAzure } from "../../local/azure";

/** A VM that carries an identity, and what the identity may read. */
export interface BenchVm {
  /** The resource id of the VM. */
  readonly id: string;
  readonly clientId: string;
  readonly resourceGroup: string;
}

const LOCATION = "westeurope";
const RESOURCE_GROUP = "bench";
/** The built-in role, which has this id in every tenant. */
const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/** Versions of the REST APIs that the resources below are written for. */
const API_VERSIONS = {
  identity: "2023-01-31",
  network: "2024-05-01",
  compute: "2024-07-01",
  authorization: "2022-04-01",
} as const;

/** Creates a VM with a user-assigned identity that has Reader on the VM's resource group, and nothing more. */
export async function createBenchVm(azure: LocalAzure): Promise<BenchVm> {
  const client = new ResourceManagementClient(
    { getToken: () => azure.getDeployerToken() },
    azure.subscriptionId,
    { endpoint: azure.armEndpoint, tlsOptions: { ca: azure.caCertificate } },
  );
  const subscription = `/subscriptions/${azure.subscriptionId}`;
  const group = `${subscription}/resourceGroups/${RESOURCE_GROUP}`;

  /** Puts a resource into the group, and waits until it stands. */
  async function put(
    path: string,
    apiVersion: string,
    resource: GenericResource,
  ): Promise<GenericResource & { id: string }> {
    const id = `${group}/providers/${path}`;
    const answer = await client.resources.beginCreateOrUpdateByIdAndWait(id, apiVersion, resource, {
      updateIntervalInMs: 5,
    });
    return { ...answer, id };
  }

  await client.resourceGroups.createOrUpdate(RESOURCE_GROUP, { location: LOCATION });
  const identity = await put(
    "Microsoft.ManagedIdentity/userAssignedIdentities/bench-identity",
    API_VERSIONS.identity,
    { location: LOCATION },
  );
  const network = await put("Microsoft.Network/virtualNetworks/bench", API_VERSIONS.network, {
    location: LOCATION,
    properties: {
      addressSpace: { addressPrefixes: ["10.0.0.0/24"] },
      subnets: [{ name: "vm", properties: { addressPrefix: "10.0.0.0/24" } }],
    },
  });
  const networkInterface = await put(
    "Microsoft.Network/networkInterfaces/bench",
    API_VERSIONS.network,
    {
      location: LOCATION,
      properties: {
        ipConfigurations: [
          { name: "main", properties: { subnet: { id: `${network.id}/subnets/vm` } } },
        ],
      },
    },
  );
  const vm = await put("Microsoft.Compute/virtualMachines/bench", API_VERSIONS.compute, {
    location: LOCATION,
    identity: { type: "UserAssigned", userAssignedIdentities: { [identity.id]: {} } },
    properties: getVmProperties(networkInterface.id),
  });
  const { clientId, principalId } = identity.properties as Record<string, string | undefined>;
  if (clientId === undefined || principalId === undefined) {
    throw new Error("The identity has no client id or no principal id.");
  }
  await put(`Microsoft.Authorization/roleAssignments/${randomUUID()}`, API_VERSIONS.authorization, {
    properties: {
      principalId,
      principalType: "ServicePrincipal",
      roleDefinitionId: `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${READER}`,
    },
  });
  return { id: vm.id, clientId, resourceGroup: RESOURCE_GROUP };
}

function getVmProperties(networkInterfaceId: string): Record<string, unknown> {
  return {
    hardwareProfile: { vmSize: "Standard_B2s_v2" },
    osProfile: {
      computerName: "bench",
      adminUsername: "azureuser",
      // The VM is gone when the bench ends, and nobody signs in to it.
      adminPassword: `Aa1-${randomUUID()}`,
    },
    storageProfile: {
      imageReference: {
        publisher: "MicrosoftWindowsServer",
        offer: "WindowsServer",
        sku: "2025-datacenter-azure-edition",
        version: "latest",
      },
      osDisk: { createOption: "FromImage" },
    },
    networkProfile: { networkInterfaces: [{ id: networkInterfaceId }] },
  };
}
