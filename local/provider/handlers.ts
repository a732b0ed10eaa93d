import type { handleUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { AccessToken } from "@azure/core-auth";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { checkInputs } from "./check";
import { getClientConfig } from "./client-config";
import {
  createResource,
  deleteResource,
  previewOutputs,
  readResource,
  updateResource,
  type Azure,
} from "./crud";
import { diffResource, type PropertyChange } from "./diff";
import { isNotFound, toServiceError } from "./errors";
import { readByFunction } from "./functions";
import { findKind } from "./resources";
import { fromStruct, toStruct, UNKNOWN, type PropertyValue } from "./struct";

/** The azure-native version whose behaviour, types and API versions this stands in for. */
const PROVIDER_VERSION = "3.28.0";

/** What the provider's answers depend on. */
export interface HandlerSettings extends Azure {
  tenantId: string;
  getToken: () => Promise<AccessToken>;
}

/**
 * The calls of Pulumi's ResourceProvider protocol ("provider.proto" in pulumi/pulumi) that the engine makes of a
 * provider of plain resources. gRPC itself answers the rest as unimplemented.
 */
export function createHandlers(azure: HandlerSettings): UntypedServiceImplementation {
  // All provider instances of a program share this: the engine dials the same port for each.
  let configuredLocation: string | undefined;

  async function getDefaultLocation(group: PropertyValue | undefined) {
    if (configuredLocation !== undefined) return configuredLocation;
    if (group === UNKNOWN) return UNKNOWN;
    if (typeof group !== "string") return undefined;
    try {
      return (await azure.clients.resources.resourceGroups.get(group)).location;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  return {
    getPluginInfo: answer(() => new plugin.PluginInfo().setVersion(PROVIDER_VERSION)),
    attach: answer(() => new Empty()),
    cancel: answer(() => new Empty()),
    // No secrets: the engine then sends plain values, and marks outputs as secret where the inputs were. Taken as
    // secrets and echoed, they would stand in plain text in the state.
    handshake: answer(() => new rpc.ProviderHandshakeResponse()),
    getSchema: answer(() =>
      new rpc.GetSchemaResponse().setSchema(
        JSON.stringify({ name: "azure-native", version: PROVIDER_VERSION }),
      ),
    ),
    checkConfig: answer((request: rpc.CheckRequest) =>
      new rpc.CheckResponse().setInputs(request.getNews()),
    ),
    diffConfig: answer(() => new rpc.DiffResponse()),
    configure: answer((request: rpc.ConfigureRequest) => {
      const { location } = fromStruct(request.getArgs());
      configuredLocation = typeof location === "string" ? location : undefined;
      return new rpc.ConfigureResponse().setSupportspreview(true);
    }),

    invoke: answer(async (request: rpc.InvokeRequest) => {
      const args = fromStruct(request.getArgs());
      const result =
        request.getTok() === "azure-native:authorization:getClientConfig"
          ? await getClientConfig(azure)
          : await readByFunction(azure, request.getTok(), args);
      return new rpc.InvokeResponse().setReturn(toStruct(result));
    }),

    check: answer(async (request: rpc.CheckRequest) => {
      const { typeToken, logicalName } = parseUrn(request.getUrn());
      const { inputs, failures } = await checkInputs({
        kind: findKind(typeToken),
        typeToken,
        logicalName,
        olds: fromStruct(request.getOlds()),
        news: fromStruct(request.getNews()),
        randomSeed: request.getRandomseed_asU8(),
        getDefaultLocation,
      });
      // Without setProperty, as azure-native: the engine would print the property's value, which may be a password.
      return new rpc.CheckResponse()
        .setInputs(toStruct(inputs))
        .setFailuresList(failures.map((reason) => new rpc.CheckFailure().setReason(reason)));
    }),

    diff: answer((request: rpc.DiffRequest) => {
      const { changes, deleteBeforeReplace } = diffResource(
        kindOf(request),
        {
          inputs: fromStruct(request.getOldInputs()),
          outputs: fromStruct(request.getOlds()),
        },
        fromStruct(request.getNews()),
      );
      const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
      const response = new rpc.DiffResponse()
        .setChanges(changes.size === 0 ? DIFF_NONE : DIFF_SOME)
        .setDeletebeforereplace(deleteBeforeReplace)
        .setHasdetaileddiff(true);
      for (const [path, change] of changes) {
        response.addDiffs(path.split(/[.[]/)[0] ?? path);
        if (change.replace) response.addReplaces(path);
        const detail = new rpc.PropertyDiff().setKind(toDiffKind(change)).setInputdiff(true);
        response.getDetaileddiffMap().set(path, detail);
      }
      return response;
    }),

    create: answer(async (request: rpc.CreateRequest) => {
      const kind = kindOf(request);
      const inputs = fromStruct(request.getProperties());
      if (request.getPreview()) {
        const outputs = previewOutputs(kind, { inputs: {}, outputs: {} }, inputs);
        return new rpc.CreateResponse().setProperties(toStruct(outputs));
      }
      const { id, outputs } = await createResource(azure, kind, inputs);
      return new rpc.CreateResponse().setId(id).setProperties(toStruct(outputs));
    }),

    read: answer(async (request: rpc.ReadRequest) => {
      const last = request.hasInputs()
        ? { inputs: fromStruct(request.getInputs()), outputs: fromStruct(request.getProperties()) }
        : undefined;
      const state = await readResource(azure, kindOf(request), request.getId(), last);
      // An empty id says that the resource is gone.
      if (!state) return new rpc.ReadResponse();
      return new rpc.ReadResponse()
        .setId(state.id)
        .setInputs(toStruct(state.inputs))
        .setProperties(toStruct(state.outputs));
    }),

    update: answer(async (request: rpc.UpdateRequest) => {
      const kind = kindOf(request);
      const inputs = fromStruct(request.getNews());
      const last = {
        inputs: fromStruct(request.getOldInputs()),
        outputs: fromStruct(request.getOlds()),
      };
      const outputs = request.getPreview()
        ? previewOutputs(kind, last, inputs)
        : (await updateResource(azure, kind, inputs)).outputs;
      return new rpc.UpdateResponse().setProperties(toStruct(outputs));
    }),

    delete: answer(async (request: rpc.DeleteRequest) => {
      await deleteResource(azure, kindOf(request), request.getId());
      return new Empty();
    }),
  };
}

/** A gRPC call out of a function that answers a request or throws. */
function answer<Request, Response>(
  respond: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    // The extra turn makes what is thrown at once a rejection too.
    Promise.resolve(call.request)
      .then(respond)
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(toServiceError(error));
        },
      );
  };
}

function kindOf(request: { getUrn: () => string }) {
  return findKind(parseUrn(request.getUrn()).typeToken);
}

// urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>; only the name may hold further colons.
function parseUrn(urn: string): { typeToken: string; logicalName: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { typeToken: types.split("$").at(-1) ?? "", logicalName: name.join("::") };
}

function toDiffKind({ kind, replace }: PropertyChange): rpc.PropertyDiff.Kind {
  const { Kind } = rpc.PropertyDiff;
  switch (kind) {
    case "add":
      return replace ? Kind.ADD_REPLACE : Kind.ADD;
    case "delete":
      return replace ? Kind.DELETE_REPLACE : Kind.DELETE;
    case "update":
      return replace ? Kind.UPDATE_REPLACE : Kind.UPDATE;
  }
}
