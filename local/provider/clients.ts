import { AuthorizationManagementClient } from "@azure/arm-authorization";
import { ComputeManagementClient } from "@azure/arm-compute";
import { ManagedServiceIdentityClient } from "@azure/arm-msi";
import { NetworkManagementClient } from "@azure/arm-network";
import { ResourceManagementClient } from "@azure/arm-resources";
import type { AccessToken } from "@azure/core-auth";
import { OperationFailedError } from "./errors";

/** Pause between two polls of a long-running operation; the clients' own default is 2 s, made for Azure's pace. */
const POLL_INTERVAL_MS = 50;

/** First pause before a request is tried again after a 429, a 5xx or a broken connection; it doubles each time. */
const RETRY_DELAY_MS = 100;

/** To be passed to every `begin…` method. */
export const POLLING = { updateIntervalInMs: POLL_INTERVAL_MS };

/** Which Azure to talk to, and as whom. */
export interface AzureSettings {
  /** Base URL of Azure Resource Manager: https, no trailing slash. */
  armEndpoint: string;
  /** PEM certificate that `armEndpoint`'s own is checked against. */
  caCertificate: string;
  subscriptionId: string;
  /** A token for Azure Resource Manager; called before a request whenever the last token is about to expire. */
  getToken: () => Promise<AccessToken>;
}

/** Microsoft's management clients, one for each service. */
export interface AzureClients {
  authorization: AuthorizationManagementClient;
  compute: ComputeManagementClient;
  identity: ManagedServiceIdentityClient;
  network: NetworkManagementClient;
  resources: ResourceManagementClient;
}

/**
 * Clients whose API versions are those of azure-native 3.28: arm-compute 2024-11-01, arm-network 2024-05-01, arm-msi
 * 2023-01-31, arm-authorization (role assignments) 2022-04-01; arm-resources is told 2024-03-01.
 */
export function createClients(settings: AzureSettings): AzureClients {
  const { armEndpoint, caCertificate, subscriptionId, getToken } = settings;
  const credential = { getToken };
  const options = {
    endpoint: armEndpoint,
    tlsOptions: { ca: caCertificate },
    retryOptions: { retryDelayInMs: RETRY_DELAY_MS },
  };
  const clients = {
    authorization: new AuthorizationManagementClient(credential, subscriptionId, options),
    compute: new ComputeManagementClient(credential, subscriptionId, options),
    identity: new ManagedServiceIdentityClient(credential, subscriptionId, options),
    network: new NetworkManagementClient(credential, subscriptionId, options),
    resources: new ResourceManagementClient(credential, subscriptionId, {
      ...options,
      apiVersion: "2024-03-01",
    }),
  };
  for (const { pipeline } of Object.values(clients)) {
    // A proxy from the environment can't reach this machine's loopback address.
    pipeline.removePolicy({ name: "proxyPolicy" });
    pipeline.addPolicy({
      name: "failedOperationPolicy",
      sendRequest: async (request, next) => {
        const response = await next(request);
        // Only of what is polled: any other answer may be cut or hold anything.
        if (request.url.includes("/operations/")) {
          throwIfOperationFailed(response.status, response.bodyAsText);
        }
        return response;
      },
    });
  }
  return clients;
}

/**
 * A failed operation answers its poll with 200 and `{"status":"Failed","error":{"code","message"}}`. The clients make
 * a plain Error of it, the code buried in its text; this keeps the code.
 */
function throwIfOperationFailed(statusCode: number, body: string | null | undefined): void {
  if (statusCode !== 200 || !body?.startsWith("{")) return;
  const answer = JSON.parse(body) as {
    status?: unknown;
    error?: { code?: string; message?: string };
  };
  if (answer.status !== "Failed" && answer.status !== "Canceled") return;
  const { code, message } = answer.error ?? {};
  throw new OperationFailedError(
    statusCode,
    code ?? `Operation${answer.status}`,
    message ?? `The operation ended as ${answer.status}.`,
  );
}
