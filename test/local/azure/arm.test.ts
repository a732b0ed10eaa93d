import { describe, expect, it } from "vitest";

import { callArm, createClients, createVmStack, GROUP, LOCATION, startForTest } from "./fixtures";

const GROUP_PATH = `/resourceGroups/${GROUP}`;
const NETWORK = `${GROUP_PATH}/providers/Microsoft.Network`;

describe("Azure Resource Manager", () => {
  it.each([
    ["GET", "//nothing/here"],
    ["GET", "//subscriptions?api-version=2022-12-01"],
    ["POST", `${GROUP_PATH}/exportTemplate?api-version=2021-04-01`],
    ["GET", `${GROUP_PATH}/providers/Microsoft.Storage/storageAccounts?api-version=2024-01-01`],
    ["PUT", `${NETWORK}/routeTables/rt?api-version=2024-05-01`],
    ["PUT", `${NETWORK}/virtualNetworks/v/virtualNetworkPeerings/p?api-version=2024-05-01`],
    ["PATCH", `${NETWORK}/virtualNetworks/v/subnets/s?api-version=2024-05-01`],
    ["PUT", `${GROUP_PATH}/providers/Microsoft.Compute/disks/d?api-version=2024-03-02`],
    [
      "PUT",
      `${GROUP_PATH}/providers/Microsoft.Compute/virtualMachines/v/extensions/e?api-version=2024-11-01`,
    ],
    ["PUT", "/providers/Microsoft.Authorization/roleDefinitions/x?api-version=2022-04-01"],
  ])("answers 501 to what it doesn't know: %s %s", async (method, path) => {
    const azure = await startForTest();
    const { status, body } = await callArm(azure, path, { method });
    expect([status, body.error?.code]).toEqual([501, "NotImplemented"]);
    expect(azure.listResourceIds()).toEqual([]);
  });

  it.each([
    ["no api-version", "", 400, "MissingApiVersionParameter"],
    ["an empty api-version", "?api-version=", 400, "MissingApiVersionParameter"],
    [
      "an api-version groups don't have",
      "?api-version=1999-01-01",
      400,
      "InvalidApiVersionParameter",
    ],
    [
      "a query parameter it would have to ignore",
      "?api-version=2021-04-01&$top=1",
      501,
      "NotImplemented",
    ],
  ])("refuses %s", async (_, query, status, code) => {
    const azure = await startForTest();
    const answer = await callArm(azure, `/resourceGroups${query}`);
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
  });

  it("refuses an api-version that a resource type doesn't have, naming those it has", async () => {
    const azure = await startForTest();
    const path = "/providers/Microsoft.Compute/virtualMachines?api-version=2001-01-01";
    const { status, body } = await callArm(azure, path);
    expect([status, body.error?.code]).toEqual([400, "NoRegisteredProviderFound"]);
    expect(body.error?.message).toContain("2024-11-01");
  });

  it("asks for the api-version even before it asks for a token", async () => {
    const azure = await startForTest();
    const { body } = await callArm(azure, "/resourceGroups", { authorization: null });
    expect(body.error?.code).toBe("MissingApiVersionParameter");
  });

  it("knows no subscription but its own", async () => {
    const azure = await startForTest();
    const path =
      "//subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups?api-version=2021-04-01";
    const { status, body } = await callArm(azure, path);
    expect([status, body.error?.code]).toEqual([404, "SubscriptionNotFound"]);
  });

  it.each([
    ["JSON that isn't", "{broken", "application/json", 400, "InvalidRequestContent"],
    ["JSON of another shape", "[1]", "application/json", 400, "InvalidRequestContent"],
    ["another media type", "<xml/>", "application/xml", 415, "UnsupportedMediaType"],
    [
      "a body over 4 MB",
      `"${"x".repeat(4_200_000)}"`,
      "application/json",
      413,
      "RequestEntityTooLarge",
    ],
  ])("refuses a body of %s", async (_, body, type, status, code) => {
    const azure = await startForTest();
    const answer = await callArm(azure, `${GROUP_PATH}?api-version=2021-04-01`, {
      method: "PUT",
      body,
      headers: { "content-type": type },
    });
    expect([answer.status, answer.body.error?.code]).toEqual([status, code]);
    expect(answer.body.error?.message).not.toContain("broken");
  });

  it("sends request ids with every answer, and the client's own correlation id back", async () => {
    const azure = await startForTest();
    const ok = await callArm(azure, "/resourceGroups?api-version=2021-04-01");
    const refused = await callArm(azure, "/resourceGroups", {
      headers: { "x-ms-correlation-request-id": "my-own" },
    });
    const unknown = await callArm(azure, "//nothing");
    azure.answerNext({ service: "arm", path: /resourceGroups/, answer: { status: 503 } });
    const broken = await callArm(azure, "/resourceGroups?api-version=2021-04-01");
    const ids = [ok, refused, unknown, broken].map(({ headers }) => headers["x-ms-request-id"]);
    expect(new Set(ids).size).toBe(4);
    expect(ids.every((id) => /^[0-9a-f-]{36}$/.test(id ?? ""))).toBe(true);
    expect(refused.headers["x-ms-correlation-request-id"]).toBe("my-own");
    expect(ok.headers["x-ms-correlation-request-id"]).toBe(ok.headers["x-ms-request-id"]);
  });

  it("takes paths in any casing and with doubled slashes, and answers with Azure's casing", async () => {
    const azure = await startForTest();
    const clients = createClients(azure);
    const { natGatewayId } = await createVmStack(azure, clients);
    const odd = natGatewayId.toUpperCase().replace("/PROVIDERS", "//providers");
    const { status, body } = await callArm(azure, `/${odd}?API-VERSION=2024-05-01`);
    expect([status, body["id"]]).toEqual([200, natGatewayId]);
  });

  it("breaks just the next answer that matches", async () => {
    const azure = await startForTest();
    azure.answerNext({
      service: "arm",
      method: "put",
      path: /resourcegroups\/rg-test$/i,
      answer: { status: 429, headers: { "retry-after": "7" }, body: { error: { code: "Busy" } } },
    });
    const path = `${GROUP_PATH}?api-version=2021-04-01`;
    const put = { method: "PUT", body: { location: LOCATION } };
    expect((await callArm(azure, path)).status).toBe(404);
    const broken = await callArm(azure, path, put);
    expect([broken.status, broken.headers["retry-after"], broken.body.error?.code]).toEqual([
      429,
      "7",
      "Busy",
    ]);
    expect(azure.listResourceIds()).toEqual([]);
    expect((await callArm(azure, path, put)).status).toBe(201);
  });

  it("closes the connection of a request that is to be reset", async () => {
    const azure = await startForTest();
    azure.answerNext({ service: "arm", path: /./, answer: "reset" });
    const path = "/resourceGroups?api-version=2021-04-01";
    await expect(callArm(azure, path)).rejects.toThrow(/socket|ECONNRESET/);
    expect((await callArm(azure, path)).status).toBe(200);
    expect(azure.requests.map(({ status }) => status)).toEqual([0, 200]);
  });

  it("records requests without their queries", async () => {
    const seen: string[] = [];
    const azure = await startForTest({
      onRequest: ({ service, method, status }) => seen.push(`${service} ${method} ${status}`),
    });
    await callArm(azure, `${GROUP_PATH}?api-version=2021-04-01&secret=1`);
    expect(seen).toEqual(["arm GET 501"]);
    const [record] = azure.requests;
    expect(record?.path).toBe(`/subscriptions/${azure.subscriptionId}${GROUP_PATH}`);
    expect(record?.durationMs).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - (record?.at ?? 0))).toBeLessThan(5000);
  });

  it.each([
    ["can't be decoded", "//%zz", 400],
    ["has too long a segment", `//subscriptions/${"x".repeat(2000)}/resourceGroups`, 414],
  ])("refuses a URL that %s, without quoting it", async (_, path, expected) => {
    const azure = await startForTest();
    const answer = await callArm(azure, `${path}?api-version=2021-04-01&secret=hunter2`);
    expect([answer.status, answer.body]).toEqual([
      expected,
      { error: { code: "InvalidRequestUri", message: "The request URL is invalid." } },
    ]);
    expect(answer.headers["content-type"]).toContain("application/json");
    expect(answer.headers["x-ms-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(azure.requests).toMatchObject([{ status: expected, path: path.slice(1) }]);
  });

  it("waits before it answers when it is told to", async () => {
    const azure = await startForTest({ armLatencyMs: 120 });
    const started = performance.now();
    await callArm(azure, "/resourceGroups?api-version=2021-04-01");
    expect(performance.now() - started).toBeGreaterThanOrEqual(119);
  });
});

describe("the record of requests", () => {
  it("forgets the oldest half when there are too many", async () => {
    const azure = await startForTest({ maxRequests: 4 });
    for (let index = 0; index < 5; index += 1) {
      await callArm(azure, `/resourceGroups/rg-${index}?api-version=2021-04-01`);
    }
    const names = azure.requests.map(({ path }) => path.split("/").at(-1));
    expect(names).toEqual(["rg-2", "rg-3", "rg-4"]);
  });
});
