import { randomUUID } from "node:crypto";
import { Agent } from "node:https";

import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ComputeManagementClient } from "@azure/arm-compute";
import type { VirtualMachine } from "@azure/arm-compute";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { NetworkManagementClient } from "@azure/arm-network";
import { ResourceManagementClient } from "@azure/arm-resources";
import axios from "axios";
import { onTestFinished } from "vitest";

import { startLocalAzure } from "../../../local/azure";
import type { LocalAzure, LocalAzureSettings } from "../../../local/azure";

export const GROUP = "rg-test";
export const LOCATION = "westeurope";
export const READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
export const CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c";
/** A password that follows Azure's rules; refusals must never quote it, nor GETs show it. */
export const PASSWORD = "Correct-Horse-9-Battery";

/** Clients poll quickly; the local Azure sends Retry-After 0 for what ends soon. */
export const FAST = { updateIntervalInMs: 5 };

/** A local Azure that is closed when the test ends. */
export async function startForTest(settings: LocalAzureSettings = {}): Promise<LocalAzure> {
  const azure = await startLocalAzure(settings);
  onTestFinished(() => azure.close());
  return azure;
}

export interface Clients {
  groups: ResourceManagementClient["resourceGroups"];
  resources: ResourceManagementClient["resources"];
  identities: ManagedServiceIdentityClient["userAssignedIdentities"];
  network: NetworkManagementClient;
  compute: ComputeManagementClient;
  authorization: AuthorizationManagementClient;
}

/** Microsoft's own clients, which know nothing of the local Azure but its address and its CA. */
export function createClients(azure: LocalAzure, token?: string): Clients {
  const credential = {
    getToken: async () =>
      token === undefined
        ? azure.getDeployerToken()
        : { token, expiresOnTimestamp: Date.now() + 3_600_000 },
  };
  const options = {
    endpoint: azure.armEndpoint,
    tlsOptions: { ca: azure.caCertificate },
    retryOptions: { maxRetries: 0 },
  };
  const id = azure.subscriptionId;
  const groupOptions = { ...options, apiVersion: "2024-03-01" };
  const resources = new ResourceManagementClient(credential, id, groupOptions);
  return {
    groups: resources.resourceGroups,
    resources: resources.resources,
    identities: new ManagedServiceIdentityClient(credential, id, options).userAssignedIdentities,
    network: new NetworkManagementClient(credential, id, options),
    compute: new ComputeManagementClient(credential, id, options),
    authorization: new AuthorizationManagementClient(credential, id, options),
  };
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown> & {
    error?: { code: string; message: string; target?: string; details?: { code: string }[] };
    properties?: Record<string, unknown>;
  };
}

export interface RawRequest {
  method?: string;
  body?: unknown;
  /** Sent instead of the deployer's; null sends none. */
  authorization?: string | null;
  headers?: Record<string, string>;
}

/** One plain HTTP request to ARM; `path` starts after the subscription unless it starts with "//". */
export async function callArm(
  azure: LocalAzure,
  path: string,
  request: RawRequest = {},
): Promise<RawAnswer> {
  const authorization =
    request.authorization === undefined
      ? `Bearer ${(await azure.getDeployerToken()).token}`
      : request.authorization;
  const full = path.startsWith("//")
    ? path.slice(1)
    : `/subscriptions/${azure.subscriptionId}${path}`;
  const answer = await axios.request<RawAnswer["body"]>({
    method: request.method ?? "GET",
    url: azure.armEndpoint + full,
    // axios would make valid JSON of a broken one.
    data: typeof request.body === "string" ? Buffer.from(request.body) : request.body,
    headers: { ...(authorization === null ? {} : { authorization }), ...request.headers },
    httpsAgent: new Agent({ ca: azure.caCertificate }),
    validateStatus: () => true,
    proxy: false,
  });
  return {
    status: answer.status,
    headers: Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
    ),
    body: answer.data,
  };
}

/** Status and code of a refusal, as `"400 InvalidParameter"`, of a client's error. */
export async function getRefusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    const { statusCode, code } = error as { statusCode?: number; code?: string };
    return `${statusCode ?? ""} ${code ?? String(error)}`;
  }
  return "no refusal";
}

/** What {@link createVmStack} makes. */
export interface VmStack {
  identityId: string;
  clientId: string;
  principalId: string;
  subnetId: string;
  natGatewayId: string;
  publicIpAddressId: string;
  securityGroupId: string;
  networkInterfaceId: string;
  vmId: string;
}

/** A group with an identity, a network with one way out, a NIC, and a VM that carries the identity. */
export async function createVmStack(azure: LocalAzure, clients: Clients): Promise<VmStack> {
  const { identities } = clients;
  const { networkInterfaceId, ...rest } = await createNetwork(clients);
  const identity = await identities.createOrUpdate(GROUP, "id-test", { location: LOCATION });
  const identityId = getId(identity);
  const vm = await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
    GROUP,
    "vm-test",
    getVmBody({ networkInterfaceId, identityId }),
    FAST,
  );
  return {
    ...rest,
    networkInterfaceId,
    identityId,
    clientId: identity.clientId ?? "",
    principalId: identity.principalId ?? "",
    vmId: getId(vm),
  };
}

/** The group and network of {@link createVmStack}, without VM and identity. */
export async function createNetwork({
  groups,
  network,
}: Clients): Promise<Omit<VmStack, "identityId" | "clientId" | "principalId" | "vmId">> {
  await groups.createOrUpdate(GROUP, { location: LOCATION, tags: { purpose: "test" } });
  const [address, securityGroup] = await Promise.all([
    network.publicIPAddresses.beginCreateOrUpdateAndWait(
      GROUP,
      "pip-test",
      { location: LOCATION, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" },
      FAST,
    ),
    network.networkSecurityGroups.beginCreateOrUpdateAndWait(
      GROUP,
      "nsg-test",
      { location: LOCATION },
      FAST,
    ),
    network.virtualNetworks.beginCreateOrUpdateAndWait(
      GROUP,
      "vnet-test",
      { location: LOCATION, addressSpace: { addressPrefixes: ["10.0.0.0/16"] } },
      FAST,
    ),
  ]);
  const gateway = await network.natGateways.beginCreateOrUpdateAndWait(
    GROUP,
    "nat-test",
    {
      location: LOCATION,
      sku: { name: "Standard" },
      publicIpAddresses: [{ id: getId(address) }],
    },
    FAST,
  );
  const subnet = await network.subnets.beginCreateOrUpdateAndWait(
    GROUP,
    "vnet-test",
    "snet-test",
    {
      addressPrefix: "10.0.1.0/24",
      defaultOutboundAccess: false,
      natGateway: { id: getId(gateway) },
      networkSecurityGroup: { id: getId(securityGroup) },
    },
    FAST,
  );
  const networkInterface = await network.networkInterfaces.beginCreateOrUpdateAndWait(
    GROUP,
    "nic-test",
    { location: LOCATION, ipConfigurations: [{ name: "main", subnet: { id: getId(subnet) } }] },
    FAST,
  );
  return {
    subnetId: getId(subnet),
    natGatewayId: getId(gateway),
    publicIpAddressId: getId(address),
    securityGroupId: getId(securityGroup),
    networkInterfaceId: getId(networkInterface),
  };
}

/** A Windows VM as the stack declares it. */
export function getVmBody(ids: {
  networkInterfaceId: string;
  identityId?: string;
}): VirtualMachine & { osProfile: object } {
  return {
    location: LOCATION,
    tags: { clientId: "in a tag" },
    ...(ids.identityId === undefined
      ? {}
      : {
          identity: { type: "UserAssigned", userAssignedIdentities: { [ids.identityId]: {} } },
        }),
    hardwareProfile: { vmSize: "Standard_B2s_v2" },
    securityProfile: {
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    },
    osProfile: {
      computerName: "vmtest",
      adminUsername: "azureuser",
      adminPassword: PASSWORD,
      windowsConfiguration: { provisionVMAgent: true, enableAutomaticUpdates: true },
    },
    storageProfile: {
      imageReference: {
        publisher: "MicrosoftWindowsServer",
        offer: "WindowsServer",
        sku: "2025-datacenter-azure-edition",
        version: "latest",
      },
      osDisk: {
        createOption: "FromImage",
        deleteOption: "Delete",
        managedDisk: { storageAccountType: "StandardSSD_LRS" },
      },
    },
    networkProfile: { networkInterfaces: [{ id: ids.networkInterfaceId, primary: true }] },
  };
}

/** Assigns a role to a service principal at a scope. */
export async function assignRole(
  azure: LocalAzure,
  { authorization }: Clients,
  role: string,
  principalId: string,
  scope: string,
): Promise<string> {
  const { name } = await authorization.roleAssignments.create(scope.slice(1), randomUUID(), {
    principalId,
    principalType: "ServicePrincipal",
    roleDefinitionId: `/subscriptions/${azure.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
  });
  return name ?? "";
}

/** A token for ARM out of a VM's metadata service. */
export async function getVmToken(
  azure: LocalAzure,
  vmId: string,
  clientId: string,
): Promise<string> {
  const query = new URLSearchParams({
    "api-version": "2018-02-01",
    resource: `${azure.armEndpoint}/`,
    client_id: clientId,
  });
  const url = `${azure.getImdsEndpoint(vmId)}/metadata/identity/oauth2/token?${query.toString()}`;
  const answer = await fetch(url, { headers: { Metadata: "true" } });
  const body = (await answer.json()) as { access_token: string };
  return body.access_token;
}

/** The id that every created resource has. */
export function getId(resource: { id?: string }): string {
  if (resource.id === undefined) throw new Error("The resource has no id.");
  return resource.id;
}
