import { Server } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { listenOnFreePort } from "../grpc-server";
import { createClients, type AzureSettings } from "./clients";
import { createHandlers } from "./handlers";

/** Which Azure the provider deploys to, and as whom. */
export interface ProviderSettings extends AzureSettings {
  tenantId: string;
}

/** A provider that is being served. */
export interface RunningProvider {
  /** TCP port on 127.0.0.1; the engine reaches it with `PULUMI_DEBUG_PROVIDERS=azure-native:<port>`. */
  port: number;
  /** Stops serving; calls under way get no answer. */
  close: () => Promise<void>;
}

/**
 * Serves a stand-in for the azure-native 3.28 plugin to the Pulumi engine. It deploys a part of azure-native's resource
 * types (resources.ts) through Microsoft's own clients. It deploys to the given Azure only: a subscription, tenant or
 * credential in the stack's configuration makes no difference.
 */
export async function startProvider(settings: ProviderSettings): Promise<RunningProvider> {
  const server = new Server({
    // The engine's own limit is 400 MB; the library's default of 4 MB is none that Pulumi knows.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const clients = createClients(settings);
  server.addService(ResourceProviderService, createHandlers({ ...settings, clients }));
  const port = await listenOnFreePort(server);
  return {
    port,
    close: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}
