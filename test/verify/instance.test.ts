import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { IDENTITY_CLIENT_ID_TAG } from "../../infra/rules";
import { CLIENT_ID_TAG } from "../../verify/config";
import type { FailureCode } from "../../verify/errors";
import {
  createInstanceAnswer,
  createSubject,
  createTokenAnswer,
  getVmId,
  IDENTITY_NOT_FOUND,
} from "./azure-answers";
import { runVerify, useBundle } from "./runs";
import type { Reply } from "./servers";

const getBundle = useBundle();

const GUID = "3f0c8a52-5a55-4f0e-9d0b-0a6f4c1f2b7d";
/** Leaves to the VM what it can say. */
const NOTHING = {
  AZURE_CLIENT_ID: undefined,
  AZURE_SUBSCRIPTION_ID: undefined,
  AZURE_RESOURCE_GROUP: undefined,
};

it("the tag is the one that the stack puts on the VM", () => {
  expect(CLIENT_ID_TAG).toBe(IDENTITY_CLIENT_ID_TAG);
});

describe.concurrent("what the VM says of itself", () => {
  it("is all that is needed on a VM of the stack", async () => {
    const { report, subject, azure } = await runVerify(getBundle(), { env: NOTHING });

    expect(report).toMatchObject({
      ok: true,
      settings: {
        clientId: { value: subject.clientId, source: "the VM's tag identity-client-id" },
        subscriptionId: {
          value: subject.subscriptionId,
          source: "the VM's metadata (subscriptionId)",
        },
        resourceGroup: { value: "rg-tutorial", source: "the VM's metadata (resourceGroupName)" },
        armEndpoint: { value: azure.arm.url, source: "AZURE_RESOURCE_MANAGER_ENDPOINT" },
      },
      vm: { name: "vm-tutorial", environment: "AzurePublicCloud" },
    });
    expect(report.steps.every(({ status }) => status === "passed")).toBe(true);
    expect(azure.countRequests()).toEqual({ instance: 1, token: 1, group: 1, permissions: 1 });
    expect(azure.listRequests("instance")[0]).toMatchObject({
      url: "/metadata/instance/compute?api-version=2021-02-01",
      headers: { metadata: "true" },
    });
  });

  it("gives way to what is given", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      env: { AZURE_SUBSCRIPTION_ID: undefined },
      replies: (subject) => ({
        instance: [
          createInstanceAnswer(subject, { resourceGroupName: "rg-vms", tagsList: undefined }),
        ],
      }),
    });

    expect(report).toMatchObject({
      ok: true,
      settings: {
        clientId: { source: "AZURE_CLIENT_ID" },
        resourceGroup: { value: "rg-tutorial", source: "AZURE_RESOURCE_GROUP" },
      },
    });
    expect(azure.countRequests()).toEqual({ instance: 1, token: 1, group: 1, permissions: 1 });
  });

  it("may be in another subscription than the group that is given", async () => {
    const { report } = await runVerify(getBundle(), {
      env: { AZURE_CLIENT_ID: undefined },
      replies: (subject) => ({
        instance: [createInstanceAnswer(subject, { subscriptionId: GUID })],
      }),
    });

    expect(report.error).toBeUndefined();
  });

  it("is asked for at the same time as the token when that needs nothing of it", async () => {
    const asked = { instance: Promise.withResolvers<null>(), token: Promise.withResolvers<null>() };
    /** Answers once the other one is asked, too: one after the other would end in a timeout. */
    const answerAfter =
      (own: keyof typeof asked, other: keyof typeof asked, body: object): Reply =>
      (response) => {
        asked[own].resolve(null);
        void asked[other].promise.then(() => response.end(JSON.stringify(body)));
      };
    const { report } = await runVerify(getBundle(), {
      env: { AZURE_RESOURCE_GROUP: undefined },
      args: ["--wait", "0", "--timeout", "5"],
      replies: (subject, audience) => ({
        instance: [answerAfter("instance", "token", createInstanceAnswer(subject).body)],
        token: [answerAfter("token", "instance", createTokenAnswer(subject, audience).body)],
      }),
    });

    expect(report.error).toBeUndefined();
  });

  it.each([
    { slow: "token", fast: "instance" },
    { slow: "instance", fast: "token" },
  ] as const)("does not keep a failure waiting: $fast fails, $slow goes on", async (row) => {
    const { run, report } = await runVerify(getBundle(), {
      env: { AZURE_RESOURCE_GROUP: undefined },
      args: ["--wait", "60", "--timeout", "60"],
      replies: { [row.slow]: [{ status: 503 }, () => undefined], [row.fast]: [{ status: 400 }] },
    });

    expect(report.error?.code).toBe("IMDS_REFUSED");
    const statuses = new Map(report.steps.map(({ name, status }) => [name, status]));
    expect([statuses.get(row.fast), statuses.get(row.slow)]).toEqual(["failed", "skipped"]);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  it.each<{ name: string; fields: object; code: FailureCode; exitCode: number; text: string }>([
    {
      name: "no tag with a client id",
      fields: { tagsList: [{ name: "project", value: "x" }] },
      code: "IDENTITY_NOT_NAMED",
      exitCode: 23,
      text: "--client-id",
    },
    {
      name: "an empty tag",
      fields: { tagsList: [{ name: CLIENT_ID_TAG, value: "" }] },
      code: "IDENTITY_NOT_NAMED",
      exitCode: 23,
      text: "AZURE_CLIENT_ID",
    },
    {
      name: "tags that are no list",
      fields: { tagsList: `${CLIENT_ID_TAG}:${GUID}` },
      code: "IDENTITY_NOT_NAMED",
      exitCode: 23,
      text: "--client-id",
    },
    {
      name: "a tag that is no GUID",
      fields: { tagsList: [{ name: CLIENT_ID_TAG, value: "my-identity" }] },
      code: "SETTINGS_INVALID",
      exitCode: 2,
      text: "tag identity-client-id",
    },
    {
      name: "no subscription",
      fields: { subscriptionId: "" },
      code: "SETTINGS_INCOMPLETE",
      exitCode: 3,
      text: "--subscription-id",
    },
    {
      name: "a subscription that is no GUID",
      fields: { subscriptionId: "../.." },
      code: "SETTINGS_INVALID",
      exitCode: 2,
      text: "subscriptionId",
    },
    {
      name: "no resource group",
      fields: { resourceGroupName: "" },
      code: "SETTINGS_INCOMPLETE",
      exitCode: 3,
      text: "AZURE_RESOURCE_GROUP",
    },
    {
      name: "a resource group of another type",
      fields: { resourceGroupName: 7 },
      code: "IMDS_BAD_ANSWER",
      exitCode: 12,
      text: "instance metadata",
    },
  ])("can lack something: $name", async ({ fields, code, exitCode, text }) => {
    const { run, report, azure } = await runVerify(getBundle(), {
      env: NOTHING,
      replies: (subject) => ({ instance: [createInstanceAnswer(subject, fields)] }),
    });

    expect(run.exitCode).toBe(exitCode);
    expect(report.error?.code).toBe(code);
    expect(`${report.error?.message ?? ""} ${report.error?.hint ?? ""}`).toContain(text);
    expect(azure.countRequests()).toEqual({ instance: 1 });
  });
});

describe.concurrent("the cloud that the VM is in", () => {
  const withoutArm = { ...NOTHING, AZURE_RESOURCE_MANAGER_ENDPOINT: undefined };

  it.each([
    ["AzurePublicCloud", "https://management.azure.com/"],
    ["AZUREPUBLICCLOUD", "https://management.azure.com/"],
    ["AzureUSGovernmentCloud", "https://management.usgovcloudapi.net/"],
    ["AzureChinaCloud", "https://management.chinacloudapi.cn/"],
  ])("%s: the token is for %s", async (azEnvironment, audience) => {
    const { azure } = await runVerify(getBundle(), {
      env: withoutArm,
      replies: (subject) => ({
        instance: [createInstanceAnswer(subject, { azEnvironment })],
        // The run ends here: nothing outside this machine may be asked.
        token: [{ status: 400 }],
      }),
    });

    const [asked] = azure.listRequests("token");
    expect(new URL(`http://imds${asked?.url ?? ""}`).searchParams.get("resource")).toBe(audience);
  });

  it.each(["AzureGermanCloud", ""])("%j: the endpoint has to be given", async (azEnvironment) => {
    const { report } = await runVerify(getBundle(), {
      env: withoutArm,
      replies: (subject) => ({ instance: [createInstanceAnswer(subject, { azEnvironment })] }),
    });

    expect(report.error?.code).toBe("SETTINGS_INCOMPLETE");
    expect(report.error?.hint).toContain("--arm-endpoint");
    expect(report.error?.message).toContain(azEnvironment);
  });
});

describe.concurrent("what is given and what the VM says", () => {
  it.each([
    {
      name: "another cloud's endpoint",
      args: ["--arm-endpoint", "https://management.chinacloudapi.cn"],
      env: { AZURE_RESOURCE_GROUP: undefined },
      text: "AzureChinaCloud",
    },
    {
      name: "another subscription, with the VM's own group",
      args: ["--subscription-id", GUID],
      env: { AZURE_RESOURCE_GROUP: undefined },
      text: "--subscription-id",
    },
  ])("can't contradict: $name", async ({ args, env, text }) => {
    const { report, azure } = await runVerify(getBundle(), {
      args: [...args],
      env: { ...env, AZURE_CLIENT_ID: undefined },
    });

    expect(report.error?.code).toBe("SETTINGS_INVALID");
    expect(report.error?.message).toContain(text);
    expect(azure.countRequests()).toEqual({ instance: 1 });
  });
});

describe.concurrent("an identity that the VM does not carry", () => {
  it.each([
    { name: "its tag names another one", clientId: randomUUID(), code: "CLIENT_ID_OUTDATED" },
    { name: "its tag names it", clientId: undefined, code: "IDENTITY_NOT_ATTACHED" },
  ])("$name: $code", async ({ clientId, code }) => {
    const subject = createSubject();
    const { report, azure } = await runVerify(getBundle(), {
      subject,
      args: ["--wait", "0", ...(clientId ? ["--client-id", clientId] : [])],
      replies: { token: [IDENTITY_NOT_FOUND] },
    });

    expect(report.error?.code).toBe(code);
    const commands = [
      ...(report.error?.commands ?? []),
      ...(report.error?.causes.flatMap((cause) => cause.commands) ?? []),
    ].join("\n");
    expect(commands).toContain(`az vm identity show --ids "${getVmId(subject)}"`);
    expect(report.error?.hint.includes(subject.clientId)).toBe(clientId !== undefined);
    expect(azure.countRequests()).toEqual({ token: 1, instance: 1 });
  });

  it("is told also when the VM can't say what it is", async () => {
    const { report } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: { token: [IDENTITY_NOT_FOUND], instance: [{ status: 500 }] },
    });

    expect(report.error?.code).toBe("IDENTITY_NOT_ATTACHED");
    expect(report.error?.causes[0]?.commands[0]).toContain("<VM's resource id>");
  });

  it.each([
    { resourceId: '/x"; Remove-Item C:\\' },
    { tagsList: [{ name: CLIENT_ID_TAG, value: "x; Remove-Item C:\\" }] },
  ])("puts nothing of the VM's metadata into a command unseen: %j", async (fields) => {
    const { report } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: (subject) => ({
        token: [IDENTITY_NOT_FOUND],
        instance: [createInstanceAnswer(subject, fields)],
      }),
    });

    expect(report.error?.code).toBe("IDENTITY_NOT_ATTACHED");
    expect(JSON.stringify(report)).not.toContain("Remove-Item");
  });

  it("asks the VM what it is only once", async () => {
    const { azure } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      env: NOTHING,
      replies: { token: [IDENTITY_NOT_FOUND] },
    });

    expect(azure.countRequests()).toEqual({ token: 1, instance: 1 });
  });
});
