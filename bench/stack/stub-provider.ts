import { setTimeout } from "node:timers/promises";
import { type handleUnaryCall, Server } from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { listenOnFreePort } from "../../local/grpc-server";
import { createClients } from "../../local/provider/clients";
import { createHandlers } from "../../local/provider/handlers";
import { idOf, keysOf } from "../../local/provider/resource-kind";
import { findKind } from "../../local/provider/resources";
import { fromStruct, toStruct } from "../../local/provider/struct";

/** The creation of one resource, by the clock of `performance.now()`. */
export interface Creation {
  readonly startedMs: number;
  readonly endedMs: number;
}

/** A provider of azure-native's resources behind which there is nothing. */
export interface StubProvider {
  /** TCP port on 127.0.0.1. */
  readonly port: number;
  /** All that are over. */
  readonly creations: readonly Creation[];
  /** Stops serving; calls under way get no answer. */
  readonly close: () => void;
}

const SUBSCRIPTION_ID = "00000000-0000-4000-8000-000000000001";
const TENANT_ID = "00000000-0000-4000-8000-000000000002";

/** What a program of this repository reads of a resource that was just created, besides its name and its inputs. */
const OUTPUTS = {
  clientId: "00000000-0000-4000-8000-000000000003",
  principalId: "00000000-0000-4000-8000-000000000004",
  tenantId: TENANT_ID,
};

/**
 * Starts a provider that checks and names resources as the local Azure's does, and creates each in exactly
 * the same time. With an Azure behind it, its server, Microsoft's clients and the pauses between their polls
 * would be part of every operation, and of what a benchmark says of the program.
 */
export async function startStubProvider(operationMs: number): Promise<StubProvider> {
  const creations: Creation[] = [];
  const create: handleUnaryCall<rpc.CreateRequest, rpc.CreateResponse> = (call, callback) => {
    const startedMs = performance.now();
    void setTimeout(operationMs).then(() => {
      callback(null, createResponse(call.request));
      creations.push({ startedMs, endedMs: performance.now() });
    });
  };
  const server = new Server();
  server.addService(ResourceProviderService, { ...createHandlers(createSettings()), create });
  return {
    port: await listenOnFreePort(server),
    creations,
    close: () => {
      server.forceShutdown();
    },
  };
}

function createResponse(request: rpc.CreateRequest): rpc.CreateResponse {
  const kind = findKind(request.getType());
  const inputs = fromStruct(request.getProperties());
  const outputs = { ...inputs, ...OUTPUTS, name: inputs[kind.nameKey] ?? null };
  return new rpc.CreateResponse()
    .setId(idOf(kind, SUBSCRIPTION_ID, keysOf(kind, inputs)))
    .setProperties(toStruct(outputs));
}

/** The handlers that are kept ask no Azure as long as programs give each resource its location. */
function createSettings() {
  const getToken = () => Promise.reject(new Error("The stub provider has no Azure."));
  const settings = {
    armEndpoint: "https://127.0.0.1:1",
    caCertificate: "",
    subscriptionId: SUBSCRIPTION_ID,
    tenantId: TENANT_ID,
    getToken,
  };
  return { ...settings, clients: createClients(settings) };
}
