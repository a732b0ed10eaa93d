import { credentials, type ServiceError } from "@grpc/grpc-js";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { onTestFinished } from "vitest";
import { startProvider, type ProviderSettings } from "../../../local/provider";

/** Nothing listens on port 9 ("discard"): a test that gets along with this proves that nothing was asked of Azure. */
export const NO_AZURE: ProviderSettings = {
  armEndpoint: "https://127.0.0.1:9",
  caCertificate: "",
  subscriptionId: "5a0ba0bd-7f2c-4c9c-9a0a-6a9c0d0f0001",
  tenantId: "5a0ba0bd-7f2c-4c9c-9a0a-6a9c0d0f0002",
  getToken: () => Promise.reject(new Error("no token is needed here")),
};

/** Starts a provider for one test, and connects to it as the engine does. */
export async function connect(settings: ProviderSettings = NO_AZURE) {
  const provider = await startProvider(settings);
  const client = new ResourceProviderClient(
    `127.0.0.1:${provider.port}`,
    credentials.createInsecure(),
  );
  onTestFinished(async () => {
    client.close();
    await provider.close();
  });

  /** Makes one call; a refusal rejects with gRPC's ServiceError. */
  function call<Response>(
    makeCall: (
      client: ResourceProviderClient,
      callback: (error: ServiceError | null, response: Response) => void,
    ) => unknown,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      makeCall(client, (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  }

  return {
    call,
    empty: new Empty(),

    check: async (typeToken: string, news: object, options: CheckOptions = {}) => {
      const request = new rpc.CheckRequest()
        .setUrn(urn(typeToken, options.logicalName))
        .setNews(struct(news))
        .setRandomseed(options.randomSeed ?? new Uint8Array());
      if (options.olds) request.setOlds(struct(options.olds));
      const response = await call<rpc.CheckResponse>((c, done) => c.check(request, done));
      return {
        inputs: response.getInputs()?.toJavaScript() ?? {},
        failures: response.getFailuresList().map((failure) => failure.toObject()),
      };
    },

    diff: async (typeToken: string, oldInputs: object, news: object, olds: object = {}) => {
      const request = new rpc.DiffRequest()
        .setUrn(urn(typeToken))
        .setOldInputs(struct(oldInputs))
        .setOlds(struct(olds))
        .setNews(struct(news));
      const response = await call<rpc.DiffResponse>((c, done) => c.diff(request, done));
      const details: Record<string, string> = {};
      response.getDetaileddiffMap().forEach((detail, path) => {
        details[path] = KIND_NAMES[detail.getKind()];
      });
      return {
        changed: response.getChanges() === rpc.DiffResponse.DiffChanges.DIFF_SOME,
        details,
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
      };
    },

    create: async (typeToken: string, inputs: object, options: { preview?: boolean } = {}) => {
      const request = new rpc.CreateRequest()
        .setUrn(urn(typeToken))
        .setProperties(struct(inputs))
        .setPreview(options.preview ?? false);
      const response = await call<rpc.CreateResponse>((c, done) => c.create(request, done));
      return { id: response.getId(), outputs: response.getProperties()?.toJavaScript() ?? {} };
    },

    read: async (typeToken: string, id: string, last?: { inputs: object; outputs: object }) => {
      const request = new rpc.ReadRequest().setUrn(urn(typeToken)).setId(id);
      if (last) request.setInputs(struct(last.inputs)).setProperties(struct(last.outputs));
      const response = await call<rpc.ReadResponse>((c, done) => c.read(request, done));
      return {
        id: response.getId(),
        inputs: response.getInputs()?.toJavaScript() ?? {},
        outputs: response.getProperties()?.toJavaScript() ?? {},
      };
    },

    update: async (
      typeToken: string,
      id: string,
      last: { inputs: object; outputs: object },
      news: object,
      options: { preview?: boolean } = {},
    ) => {
      const request = new rpc.UpdateRequest()
        .setUrn(urn(typeToken))
        .setId(id)
        .setOldInputs(struct(last.inputs))
        .setOlds(struct(last.outputs))
        .setNews(struct(news))
        .setPreview(options.preview ?? false);
      const response = await call<rpc.UpdateResponse>((c, done) => c.update(request, done));
      return response.getProperties()?.toJavaScript() ?? {};
    },

    invoke: async (token: string, args: object) => {
      const request = new rpc.InvokeRequest().setTok(token).setArgs(struct(args));
      const response = await call<rpc.InvokeResponse>((c, done) => c.invoke(request, done));
      return response.getReturn()?.toJavaScript() ?? {};
    },

    delete: async (typeToken: string, id: string) => {
      const request = new rpc.DeleteRequest().setUrn(urn(typeToken)).setId(id);
      await call<Empty>((c, done) => c.delete(request, done));
    },
  };
}

interface CheckOptions {
  logicalName?: string;
  olds?: object;
  randomSeed?: Uint8Array;
}

const KIND_NAMES: Record<rpc.PropertyDiff.Kind, string> = {
  [rpc.PropertyDiff.Kind.ADD]: "add",
  [rpc.PropertyDiff.Kind.ADD_REPLACE]: "add-replace",
  [rpc.PropertyDiff.Kind.DELETE]: "delete",
  [rpc.PropertyDiff.Kind.DELETE_REPLACE]: "delete-replace",
  [rpc.PropertyDiff.Kind.UPDATE]: "update",
  [rpc.PropertyDiff.Kind.UPDATE_REPLACE]: "update-replace",
};

/** The URN the engine would make up, of a resource inside a component. */
export function urn(typeToken: string, logicalName = "thing"): string {
  return `urn:pulumi:dev::project::some:component:Type$${typeToken}::${logicalName}`;
}

function struct(map: object): Struct {
  return Struct.fromJavaScript(map as Parameters<typeof Struct.fromJavaScript>[0]);
}
