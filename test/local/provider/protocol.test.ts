import { status } from "@grpc/grpc-js";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { describe, expect, test } from "vitest";
import { version as sdkVersion } from "@pulumi/azure-native/package.json";
import { connect, urn } from "./provider-client";

const SECRET = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

describe("the provider towards the engine", () => {
  test("is the version of the SDK that programs use", async () => {
    const { call, empty } = await connect();
    const info = await call<plugin.PluginInfo>((c, done) => c.getPluginInfo(empty, done));
    expect(info.getVersion()).toBe(sdkVersion);
  });

  test("accepts no secrets, at handshake and at configuration", async () => {
    const { call } = await connect();
    const handshake = await call<rpc.ProviderHandshakeResponse>((c, done) =>
      c.handshake(new rpc.ProviderHandshakeRequest(), done),
    );
    const configuration = await call<rpc.ConfigureResponse>((c, done) =>
      c.configure(new rpc.ConfigureRequest(), done),
    );
    expect(handshake.getAcceptSecrets()).toBe(false);
    expect(configuration.getAcceptsecrets()).toBe(false);
    expect(configuration.getSupportspreview()).toBe(true);
  });

  test("refuses a secret that comes all the same, without showing it", async () => {
    const { check } = await connect();
    const osProfile = { adminPassword: { ...SECRET, value: "Hunter2-Hunter2" } };
    const failure = check("azure-native:compute:VirtualMachine", { osProfile });
    await expect(failure).rejects.toThrow(/sent a secret/);
    await expect(failure).rejects.not.toThrow(/Hunter2/);
  });

  test("answers on after being attached and canceled", async () => {
    const { call, empty } = await connect();
    await call((c, done) => c.attach(new plugin.PluginAttach().setAddress("127.0.0.1:1"), done));
    await call((c, done) => c.cancel(empty, done));
    const info = await call<plugin.PluginInfo>((c, done) => c.getPluginInfo(empty, done));
    expect(info.getVersion()).toBe("3.28.0");
  });

  test("hands the provider's configuration back as it is", async () => {
    const { call } = await connect();
    const news = Struct.fromJavaScript({ location: "northeurope" });
    const checked = await call<rpc.CheckResponse>((c, done) =>
      c.checkConfig(new rpc.CheckRequest().setUrn("urn").setNews(news), done),
    );
    expect(checked.getInputs()?.toJavaScript()).toEqual({ location: "northeurope" });
    expect(checked.getFailuresList()).toEqual([]);
    const diff = await call<rpc.DiffResponse>((c, done) =>
      c.diffConfig(new rpc.DiffRequest().setUrn("urn"), done),
    );
    expect(diff.getReplacesList()).toEqual([]);
  });

  test("gives a schema that names it", async () => {
    const { call } = await connect();
    const response = await call<rpc.GetSchemaResponse>((c, done) =>
      c.getSchema(new rpc.GetSchemaRequest(), done),
    );
    expect(JSON.parse(response.getSchema())).toEqual({ name: "azure-native", version: "3.28.0" });
  });

  test("names a resource type it doesn't know", async () => {
    const { check } = await connect();
    await expect(check("azure-native:storage:StorageAccount", {})).rejects.toThrow(
      /doesn't know the resource type 'azure-native:storage:StorageAccount'/,
    );
  });

  test("names a function it doesn't know, as unimplemented", async () => {
    const { call } = await connect();
    const request = new rpc.InvokeRequest().setTok("azure-native:storage:getStorageAccount");
    await expect(
      call<rpc.InvokeResponse>((c, done) => c.invoke(request, done)),
    ).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining("'azure-native:storage:getStorageAccount'") as string,
    });
  });

  test("leaves calls for other kinds of providers unimplemented", async () => {
    const { call } = await connect();
    const request = new rpc.ConstructRequest().setType(urn("a:b:C"));
    await expect(
      call<rpc.ConstructResponse>((c, done) => c.construct(request, done)),
    ).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});
