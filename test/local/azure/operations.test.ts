import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, it } from "vitest";

import type { LocalAzure } from "../../../local/azure";
import {
  callArm,
  createClients,
  createVmStack,
  getRefusal,
  GROUP,
  LOCATION,
  startForTest,
} from "./fixtures";
import type { RawAnswer, RawRequest } from "./fixtures";

const OPERATION_MS = 200;
const NETWORK = `/resourceGroups/${GROUP}/providers/Microsoft.Network`;
const VNET = `${NETWORK}/virtualNetworks/v?api-version=2024-05-01`;
const BODY = {
  location: LOCATION,
  properties: { addressSpace: { addressPrefixes: ["10.0.0.0/16"] } },
};

async function startWithGroup(): Promise<{
  azure: LocalAzure;
  call: (path: string, request?: RawRequest) => Promise<RawAnswer>;
  poll: (url: string | undefined) => Promise<RawAnswer>;
}> {
  const azure = await startForTest({ operationMs: OPERATION_MS });
  await createClients(azure).groups.createOrUpdate(GROUP, { location: LOCATION });
  return {
    azure,
    call: (path, request) => callArm(azure, path, request),
    poll: (url = "") => callArm(azure, `/${url.slice(azure.armEndpoint.length)}`),
  };
}

describe("long-running operations", () => {
  it("are polled from a PUT's Azure-AsyncOperation until they succeed", async () => {
    const { azure, call, poll } = await startWithGroup();
    const put = await call(VNET, { method: "PUT", body: BODY });
    expect([put.status, put.body.properties?.["provisioningState"]]).toEqual([201, "Creating"]);
    expect(put.headers["location"]).toBeUndefined();
    const url = put.headers["azure-asyncoperation"] ?? "";
    expect(url.startsWith(`${azure.armEndpoint}/subscriptions/${azure.subscriptionId}/`)).toBe(
      true,
    );
    expect(url).toContain("api-version=2024-05-01");
    const early = await poll(url);
    expect([early.status, early.body["status"]]).toEqual([200, "InProgress"]);
    expect(early.headers["retry-after"]).toBe("0");
    expect((await call(VNET)).body.properties?.["provisioningState"]).toBe("Creating");
    await sleep(OPERATION_MS + 50);
    const late = await poll(url);
    expect([late.body["status"], late.headers["retry-after"]]).toEqual(["Succeeded", undefined]);
    expect((await call(VNET)).body.properties?.["provisioningState"]).toBe("Succeeded");
    const again = await call(VNET, { method: "PUT", body: BODY });
    expect([again.status, again.body.properties?.["provisioningState"]]).toEqual([200, "Updating"]);
  });

  it("are polled from a DELETE's Location until the resource is gone", async () => {
    const { call, poll } = await startWithGroup();
    await call(VNET, { method: "PUT", body: BODY });
    await sleep(OPERATION_MS + 50);
    const deletion = await call(VNET, { method: "DELETE" });
    expect(deletion.status).toBe(202);
    const { location, "azure-asyncoperation": status } = deletion.headers;
    expect((await poll(location)).status).toBe(202);
    expect((await poll(status)).body["status"]).toBe("InProgress");
    expect((await call(VNET)).body.properties?.["provisioningState"]).toBe("Deleting");
    await sleep(OPERATION_MS + 50);
    expect((await poll(location)).status).toBe(200);
    expect((await poll(status)).body["status"]).toBe("Succeeded");
    expect((await call(VNET)).status).toBe(404);
    expect((await call(VNET, { method: "DELETE" })).status).toBe(204);
  });

  it("are told when to look again, in seconds", async () => {
    const azure = await startForTest({ operationMs: 3000 });
    await createClients(azure).groups.createOrUpdate(GROUP, { location: LOCATION });
    const { headers } = await callArm(azure, VNET, { method: "PUT", body: BODY });
    expect(headers["retry-after"]).toBe("3");
  });

  it("keep others from changing or using the resource meanwhile", async () => {
    const { azure, call } = await startWithGroup();
    await call(VNET, { method: "PUT", body: BODY });
    const again = await call(VNET, { method: "PUT", body: BODY });
    expect([again.status, again.body.error?.code]).toEqual([409, "AnotherOperationInProgress"]);
    const natGateway = `${NETWORK}/natGateways/n?api-version=2024-05-01`;
    const gateway = await call(natGateway, {
      method: "PUT",
      body: { location: LOCATION, sku: { name: "Standard" } },
    });
    await sleep(OPERATION_MS + 50);
    expect(gateway.status).toBe(201);
    await call(natGateway, {
      method: "PUT",
      body: { location: LOCATION, sku: { name: "Standard" } },
    });
    const subnet = await call(`${NETWORK}/virtualNetworks/v/subnets/s?api-version=2024-05-01`, {
      method: "PUT",
      body: {
        properties: { addressPrefix: "10.0.0.0/24", natGateway: { id: gateway.body["id"] } },
      },
    });
    expect([subnet.status, subnet.body.error?.code, subnet.headers["retry-after"]]).toEqual([
      429,
      "RetryableError",
      "1",
    ]);
    expect(subnet.body.error?.details?.[0]?.code).toBe("ReferencedResourceNotProvisioned");
    expect(azure.listResourceIds().join()).not.toContain("subnets");
  });

  it("give way to a deletion", async () => {
    const { azure, call, poll } = await startWithGroup();
    const put = await call(VNET, { method: "PUT", body: BODY });
    const first = await call(VNET, { method: "DELETE" });
    const second = await call(VNET, { method: "DELETE" });
    expect([first.status, second.status]).toEqual([202, 202]);
    await sleep(OPERATION_MS + 50);
    const { body } = await poll(put.headers["azure-asyncoperation"]);
    expect([body["status"], body.error?.code]).toEqual(["Canceled", "OperationPreempted"]);
    expect((await poll(first.headers["location"])).status).toBe(200);
    expect((await poll(second.headers["location"])).status).toBe(200);
    expect(azure.listResourceIds()).toHaveLength(1);
  });

  it("of a VM's start give way to its deletion, and bring no metadata service back", async () => {
    const azure = await startForTest({ operationMs: OPERATION_MS });
    const { vmId } = await createVmStack(azure, createClients(azure));
    const call = (action: string, request: RawRequest) =>
      callArm(azure, `/${vmId}${action}?api-version=2024-11-01`, request);
    const deletion = await call("", { method: "DELETE" });
    const start = await call("/start", { method: "POST", body: {} });
    expect([deletion.status, start.status]).toEqual([202, 202]);
    await sleep(OPERATION_MS + 50);
    expect(() => azure.getImdsEndpoint(vmId)).toThrow(vmId);
    const url = start.headers["azure-asyncoperation"] ?? "";
    const status = await callArm(azure, `/${url.slice(azure.armEndpoint.length)}`);
    expect(status.body["status"]).toBe("Canceled");
  });

  it("fail when the resource came into use since, and leave it as it was", async () => {
    const { call, poll } = await startWithGroup();
    await call(VNET, { method: "PUT", body: BODY });
    await sleep(OPERATION_MS + 50);
    const subnetPath = `${NETWORK}/virtualNetworks/v/subnets/s?api-version=2024-05-01`;
    const subnet = await call(subnetPath, {
      method: "PUT",
      body: { properties: { addressPrefix: "10.0.0.0/24" } },
    });
    await sleep(OPERATION_MS + 50);
    const deletion = await call(VNET, { method: "DELETE" });
    const nic = await call(`${NETWORK}/networkInterfaces/n?api-version=2024-05-01`, {
      method: "PUT",
      body: {
        location: LOCATION,
        properties: {
          ipConfigurations: [{ name: "a", properties: { subnet: { id: subnet.body["id"] } } }],
        },
      },
    });
    expect(nic.status).toBe(201);
    await sleep(OPERATION_MS + 50);
    const status = await poll(deletion.headers["azure-asyncoperation"]);
    expect([status.body["status"], status.body.error?.code]).toEqual([
      "Failed",
      "InUseSubnetCannotBeDeleted",
    ]);
    expect((await poll(deletion.headers["location"])).status).toBe(400);
    expect((await call(VNET)).body.properties?.["provisioningState"]).toBe("Succeeded");
  });

  it("are unknown under another id, and closed to those without a token", async () => {
    const { azure, call } = await startWithGroup();
    const put = await call(VNET, { method: "PUT", body: BODY });
    const url = `/${(put.headers["azure-asyncoperation"] ?? "").slice(azure.armEndpoint.length)}`;
    expect((await callArm(azure, url, { authorization: null })).status).toBe(401);
    expect((await call(url.replace(/operations\/[^?]*/, "operations/none"))).status).toBe(404);
  });

  it("come to nothing when Azure is closed", async () => {
    const { azure, call } = await startWithGroup();
    await call(VNET, { method: "PUT", body: BODY });
    await sleep(OPERATION_MS + 50);
    await call(VNET, { method: "DELETE" });
    const before = azure.listResourceIds();
    await azure.close();
    expect(await getRefusal(call(VNET))).toContain("ECONNREFUSED");
    await sleep(OPERATION_MS + 50);
    expect(azure.listResourceIds()).toEqual(before);
  });
});
