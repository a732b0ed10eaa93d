import { decodeJwt } from "jose";
import { describe, expect, it } from "vitest";

import type { LocalAzure } from "../../../local/azure";
import {
  createClients,
  createVmStack,
  FAST,
  getId,
  getVmBody,
  GROUP,
  LOCATION,
  startForTest,
} from "./fixtures";
import type { Clients, VmStack } from "./fixtures";

const METADATA = { Metadata: "true" };
const TOKEN_PATH = "/metadata/identity/oauth2/token";

interface Setting {
  azure: LocalAzure;
  clients: Clients;
  stack: VmStack;
  ask: (pathAndQuery: string, init?: RequestInit) => Promise<ImdsReply>;
}

interface ImdsReply {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}

async function startWithVm(): Promise<Setting> {
  const azure = await startForTest();
  const clients = createClients(azure);
  const stack = await createVmStack(azure, clients);
  return {
    azure,
    clients,
    stack,
    async ask(pathAndQuery, init = { headers: METADATA }) {
      const answer = await fetch(azure.getImdsEndpoint(stack.vmId) + pathAndQuery, init);
      const text = await answer.text();
      return {
        status: answer.status,
        headers: answer.headers,
        body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
      };
    },
  };
}

function getTokenQuery({ azure, stack }: Setting, change: Record<string, string> = {}): string {
  const query = {
    "api-version": "2018-02-01",
    resource: `${azure.armEndpoint}/`,
    client_id: stack.clientId,
    ...change,
  };
  const pairs = Object.entries(query).filter(([, value]) => value !== "");
  return `${TOKEN_PATH}?${new URLSearchParams(pairs).toString()}`;
}

describe("the token endpoint", () => {
  it("answers with fields that are all strings", async () => {
    const setting = await startWithVm();
    const { status, body, headers } = await setting.ask(getTokenQuery(setting));
    expect(status).toBe(200);
    expect(headers.get("server")).toMatch(/^IMDS\//);
    expect(Object.keys(body).sort()).toEqual([
      "access_token",
      "client_id",
      "expires_in",
      "expires_on",
      "ext_expires_in",
      "not_before",
      "resource",
      "token_type",
    ]);
    expect(Object.values(body).map((value) => typeof value)).toEqual(Array(8).fill("string"));
    expect(body).toMatchObject({
      client_id: setting.stack.clientId,
      resource: `${setting.azure.armEndpoint}/`,
      token_type: "Bearer",
    });
    const claims = decodeJwt(String(body["access_token"]));
    expect(String(claims.exp)).toBe(body["expires_on"]);
    const secondsLeft = Number(body["expires_on"]) - Date.now() / 1000;
    expect(Math.abs(secondsLeft - Number(body["expires_in"]))).toBeLessThan(3);
  });

  it.each([
    ["client_id", (stack: VmStack) => stack.clientId],
    ["object_id", (stack: VmStack) => stack.principalId],
    ["msi_res_id", (stack: VmStack) => stack.identityId.toUpperCase()],
  ])("finds the identity by %s", async (name, getValue) => {
    const setting = await startWithVm();
    const change = { client_id: "", [name]: getValue(setting.stack) };
    const { status, body } = await setting.ask(getTokenQuery(setting, change));
    expect([status, body["client_id"]]).toEqual([200, setting.stack.clientId]);
  });

  it("takes a trailing slash, and the resource without one, as it came", async () => {
    const setting = await startWithVm();
    const change = { resource: "https://management.azure.com" };
    const query = getTokenQuery(setting, change).replace("token?", "token/?");
    const { status, body } = await setting.ask(query);
    expect([status, body["resource"]]).toEqual([200, "https://management.azure.com"]);
    expect(decodeJwt(String(body["access_token"])).aud).toBe("https://management.azure.com");
  });

  const NOT_FOUND = "Identity not found";
  it.each<[string, Record<string, string>, string, string | RegExp]>([
    [
      "another client id",
      { client_id: "00000000-0000-0000-0000-000000000000" },
      "invalid_request",
      NOT_FOUND,
    ],
    ["the principal id as client id", { client_id: "PRINCIPAL" }, "invalid_request", NOT_FOUND],
    ["no resource", { resource: "" }, "invalid_request", /resource/],
    ["no api-version", { "api-version": "" }, "invalid_request", /api-version/],
    [
      "an api-version there isn't",
      { "api-version": "2001-01-01" },
      "invalid_request",
      /api-version/,
    ],
    ["two ways to name an identity", { object_id: "x" }, "invalid_request", /Only one of/],
    [
      "a resource the directory doesn't know",
      { resource: "https://nowhere.example" },
      "invalid_resource",
      /^AADSTS500011: The resource principal named https:\/\/nowhere.example was not found in the tenant/,
    ],
  ])("refuses %s", async (_, change, error, description) => {
    const setting = await startWithVm();
    const values = Object.entries(change).map(([name, value]) => [
      name,
      value === "PRINCIPAL" ? setting.stack.principalId : value,
    ]);
    const query = getTokenQuery(setting, Object.fromEntries(values) as Record<string, string>);
    const { status, body } = await setting.ask(query);
    expect([status, body["error"]]).toEqual([400, error]);
    expect(body["error_description"]).toEqual(
      typeof description === "string" ? description : expect.stringMatching(description),
    );
  });

  it.each<[string, RequestInit, number]>([
    ["without the Metadata header", {}, 400],
    ["with another Metadata header", { headers: { Metadata: "yes" } }, 400],
    ["through a proxy", { headers: { ...METADATA, "X-Forwarded-For": "10.0.0.1" } }, 403],
    ["by another method", { headers: METADATA, method: "POST" }, 405],
  ])("refuses a request %s", async (_, init, expected) => {
    const setting = await startWithVm();
    const { status, body } = await setting.ask(getTokenQuery(setting), init);
    expect([status, body["error"]]).toEqual([expected, "invalid_request"]);
    expect(JSON.stringify(body)).not.toContain("access_token");
  });

  it("refuses a query with a name twice", async () => {
    const setting = await startWithVm();
    const query = `${getTokenQuery(setting)}&client_id=${setting.stack.clientId}`;
    const { status, body } = await setting.ask(query);
    expect([status, body["error"]]).toEqual([400, "invalid_request"]);
    expect(body["error_description"]).toMatch(/duplicate/i);
  });

  it("refuses a URL that can't be decoded, without quoting it", async () => {
    const { ask } = await startWithVm();
    const { status, headers, body } = await ask("/%zz?secret=hunter2");
    expect([status, headers.get("server")?.startsWith("IMDS/")]).toEqual([400, true]);
    expect(body).toEqual({
      error: "invalid_request",
      error_description: "The request URL is invalid.",
    });
  });

  it("keeps a token for identity and resource", async () => {
    const setting = await startWithVm();
    const get = async (change?: Record<string, string>) =>
      (await setting.ask(getTokenQuery(setting, change))).body["access_token"];
    const first = await get();
    expect(await get()).toBe(first);
    expect(await get({ client_id: "" })).toBe(first);
    expect(await get({ resource: "https://management.azure.com/" })).not.toBe(first);
  });

  it("knows the identities the VM has now: none, one, several, its own", async () => {
    const setting = await startWithVm();
    const { clients, stack } = setting;
    const body = getVmBody(stack);
    async function setIdentity(identity: typeof body.identity): Promise<void> {
      await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
        GROUP,
        "vm-test",
        { ...body, ...(identity === undefined ? {} : { identity }) },
        FAST,
      );
    }
    const ask = async () => (await setting.ask(getTokenQuery(setting, { client_id: "" }))).body;
    expect((await ask())["client_id"]).toBe(stack.clientId);

    const second = await clients.identities.createOrUpdate(GROUP, "id-2", { location: LOCATION });
    const both = { [stack.identityId]: {}, [getId(second)]: {} };
    await setIdentity({ type: "UserAssigned", userAssignedIdentities: both });
    expect(await ask()).toEqual({
      error: "invalid_request",
      error_description:
        "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
    });

    await setIdentity({ type: "SystemAssigned, UserAssigned", userAssignedIdentities: both });
    const vm = await clients.compute.virtualMachines.get(GROUP, "vm-test");
    const own = decodeJwt(String((await ask())["access_token"]));
    expect(own["oid"]).toBe(vm.identity?.principalId);
    expect(own["xms_mirid"]).toBe(stack.vmId);

    const without = getVmBody({ networkInterfaceId: stack.networkInterfaceId });
    await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
      GROUP,
      "vm-test",
      without,
      FAST,
    );
    expect((await ask())["error_description"]).toBe("Identity not found");
  });

  it("forgets an identity that was deleted", async () => {
    const setting = await startWithVm();
    await setting.clients.identities.delete(GROUP, "id-test");
    const { status, body } = await setting.ask(getTokenQuery(setting));
    expect([status, body["error_description"]]).toEqual([400, "Identity not found"]);
  });

  it("answers otherwise just once when it is told to", async () => {
    const setting = await startWithVm();
    setting.azure.answerNext({
      service: "imds",
      path: /\/oauth2\/token/,
      answer: { status: 410, body: "" },
    });
    expect((await setting.ask("/metadata/identity/info")).status).toBe(200);
    expect((await setting.ask(getTokenQuery(setting))).status).toBe(410);
    expect((await setting.ask(getTokenQuery(setting))).status).toBe(200);
  });

  it("is each VM's own", async () => {
    const setting = await startWithVm();
    const { azure, clients, stack } = setting;
    const nic = await clients.network.networkInterfaces.beginCreateOrUpdateAndWait(
      GROUP,
      "nic-2",
      {
        location: LOCATION,
        ipConfigurations: [{ name: "main", subnet: { id: stack.subnetId } }],
      },
      FAST,
    );
    const vm = await clients.compute.virtualMachines.beginCreateOrUpdateAndWait(
      GROUP,
      "vm-2",
      getVmBody({ networkInterfaceId: getId(nic) }),
      FAST,
    );
    const endpoint = azure.getImdsEndpoint(getId(vm));
    expect(endpoint).not.toBe(azure.getImdsEndpoint(stack.vmId));
    const answer = await fetch(endpoint + getTokenQuery(setting), { headers: METADATA });
    expect(answer.status).toBe(400);
  });
});

describe("the rest of the metadata service", () => {
  it("names the tenant", async () => {
    const { azure, ask } = await startWithVm();
    const { body } = await ask("/metadata/identity/info?api-version=2018-02-01");
    expect(body).toEqual({ tenantId: azure.tenantId });
  });

  it("describes the instance, with its tags as they are now", async () => {
    const { azure, clients, stack, ask } = await startWithVm();
    const patch = { tags: { later: "yes" } };
    await clients.compute.virtualMachines.beginUpdateAndWait(GROUP, "vm-test", patch, FAST);
    const { status, body } = await ask("/metadata/instance/compute?api-version=2021-02-01");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      azEnvironment: "AzurePublicCloud",
      location: LOCATION,
      name: "vm-test",
      osType: "Windows",
      resourceGroupName: GROUP,
      resourceId: stack.vmId,
      subscriptionId: azure.subscriptionId,
      sku: "2025-datacenter-azure-edition",
      tagsList: [
        { name: "clientId", value: "in a tag" },
        { name: "later", value: "yes" },
      ],
      userData: "",
      vmSize: "Standard_B2s_v2",
      zone: "",
    });
    const vm = await clients.compute.virtualMachines.get(GROUP, "vm-test");
    expect(body["vmId"]).toBe(vm.vmId);
    const whole = await ask("/metadata/instance?api-version=2021-02-01");
    expect(whole.body["compute"]).toEqual(body);
    expect(whole.body["network"]).toMatchObject({
      interface: [
        {
          ipv4: {
            ipAddress: [{ privateIpAddress: "10.0.1.4", publicIpAddress: "" }],
            subnet: [{ address: "10.0.1.0", prefix: "24" }],
          },
        },
      ],
    });
  });

  it.each([
    ["no api-version", "/metadata/instance", 400],
    ["an api-version there isn't", "/metadata/instance/compute?api-version=2001-01-01", 400],
    ["text, which isn't implemented", "/metadata/instance?api-version=2021-02-01&format=text", 501],
    [
      "a part that isn't implemented",
      "/metadata/instance/compute/name?api-version=2021-02-01",
      501,
    ],
    ["a service that isn't implemented", "/metadata/scheduledevents?api-version=2020-07-01", 501],
    ["nothing there is", "/metadata/nothing", 404],
  ])("refuses %s", async (_, path, expected) => {
    const { ask } = await startWithVm();
    const { status, body } = await ask(path);
    expect(status).toBe(expected);
    expect(typeof body["error"]).toBe("string");
    if (expected === 400) expect(body["newest-versions"]).toHaveLength(3);
  });
});
