import { describe, expect, it } from "vitest";
import { createSubject, getScope } from "./azure-answers";
import { runVerify, useBundle } from "./runs";

const getBundle = useBundle();

const GUID = "3f0c8a52-5a55-4f0e-9d0b-0a6f4c1f2b7d";

interface Refused {
  name: string;
  args?: string[];
  env?: Record<string, string>;
  /** The place the message must name. */
  source: string;
}

const refused: Refused[] = [
  ...["AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP"].flatMap((source) => [
    { name: `an empty ${source}`, env: { [source]: "" }, source },
    { name: `a blank ${source}`, env: { [source]: "  " }, source },
  ]),
  { name: "an empty argument", args: ["--client-id", ""], source: "--client-id" },
  { name: "a client id that is no GUID", args: ["--client-id=me"], source: "--client-id" },
  { name: "a GUID in braces", env: { AZURE_CLIENT_ID: `{${GUID}}` }, source: "AZURE_CLIENT_ID" },
  { name: "a GUID and more", args: [`--subscription-id=${GUID}\n`], source: "--subscription-id" },
  { name: "a group's id", args: ["--resource-group=/subscriptions/x"], source: "--resource-group" },
  { name: "a way out of the path", args: ["--resource-group=.."], source: "--resource-group" },
  {
    name: "a name too long",
    args: ["--resource-group", "x".repeat(91)],
    source: "--resource-group",
  },
  { name: "ARM over http", args: ["--arm-endpoint=http://127.0.0.1"], source: "--arm-endpoint" },
  {
    name: "an ARM endpoint with a path",
    env: { AZURE_RESOURCE_MANAGER_ENDPOINT: "https://127.0.0.1/arm" },
    source: "AZURE_RESOURCE_MANAGER_ENDPOINT",
  },
  {
    name: "an ARM endpoint with credentials",
    env: { AZURE_RESOURCE_MANAGER_ENDPOINT: "https://me:hunter2@127.0.0.1" },
    source: "AZURE_RESOURCE_MANAGER_ENDPOINT",
  },
  {
    name: "an ARM endpoint that is no URL",
    args: ["--arm-endpoint=arm"],
    source: "--arm-endpoint",
  },
  { name: "an empty IMDS endpoint", args: ["--imds-endpoint="], source: "--imds-endpoint" },
  {
    name: "IMDS over https",
    args: ["--imds-endpoint=https://127.0.0.1"],
    source: "--imds-endpoint",
  },
  {
    name: "an IMDS query",
    args: ["--imds-endpoint=http://127.0.0.1/?"],
    source: "--imds-endpoint",
  },
  ...["not a URL", "proxy.example:8080", "socks5://127.0.0.1:1080", "ftp://127.0.0.1"].map(
    (proxy) => ({ name: `the proxy ${proxy}`, env: { ALL_PROXY: proxy }, source: "ALL_PROXY" }),
  ),
  { name: "Node told to print requests", env: { NODE_DEBUG: "https" }, source: "NODE_DEBUG" },
  {
    name: "Node told to trust everybody",
    env: { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    source: "NODE_TLS_REJECT_UNAUTHORIZED",
  },
  { name: "a negative wait", args: ["--wait=-1"], source: "--wait" },
  { name: "a wait in words", args: ["--wait", "long"], source: "--wait" },
  { name: "an endless wait", args: ["--wait", "1e9"], source: "--wait" },
  { name: "no time at all", args: ["--timeout", "0"], source: "--timeout" },
  { name: "a flag with a value", args: ["--strict=no"], source: "--strict" },
  { name: "an unknown argument", args: ["--group", "rg"], source: "--group" },
  { name: "a stray argument", args: ["rg"], source: "rg" },
  { name: "an argument without its value", args: ["--client-id"], source: "--client-id" },
  {
    name: "an argument that contradicts itself",
    args: ["--resource-group=a", "--resource-group=b"],
    source: "--resource-group",
  },
];

describe.concurrent("a setting that can't be right", () => {
  it.each(refused)("$name is refused before any request", async ({ args = [], env, source }) => {
    const { run, report, azure } = await runVerify(getBundle(), { args, ...(env && { env }) });

    expect(run.exitCode).toBe(2);
    expect(report).toMatchObject({ ok: false, error: { code: "SETTINGS_INVALID" } });
    expect(`${report.error?.message ?? ""} ${report.error?.hint ?? ""}`).toContain(source);
    const [first, ...others] = report.steps.map(({ status }) => status);
    expect(first).toBe("failed");
    expect(new Set(others)).toEqual(new Set(["skipped"]));
    expect([...azure.imds.received, ...azure.arm.received]).toEqual([]);
    expect(run.stdout + run.stderr).not.toContain("hunter2");
  });
});

describe.concurrent("a setting that is unusual but right", () => {
  it.each(["rg_(test).1-a", "gruppe-ä", "RG"])("resource group %s", async (resourceGroup) => {
    const subject = createSubject({ resourceGroup });
    const { report, azure } = await runVerify(getBundle(), {
      subject,
      // A trailing slash, too.
      env: ({ arm }) => ({ AZURE_RESOURCE_MANAGER_ENDPOINT: `${arm.url}/` }),
    });

    expect(report.error).toBeUndefined();
    expect(decodeURIComponent(azure.listRequests("group")[0]?.url ?? "")).toBe(
      `${getScope(subject)}?api-version=2021-04-01`,
    );
  });

  it("is an argument, which comes before the environment", async () => {
    const subject = createSubject();
    const stale = createSubject();
    const { report } = await runVerify(getBundle(), {
      subject,
      args: ["--client-id", subject.clientId, `--subscription-id=${subject.subscriptionId}`],
      env: { AZURE_CLIENT_ID: stale.clientId, AZURE_SUBSCRIPTION_ID: stale.subscriptionId },
    });

    expect(report.settings).toMatchObject({
      clientId: { value: subject.clientId, source: "--client-id" },
      subscriptionId: { value: subject.subscriptionId, source: "--subscription-id" },
    });
  });

  it("is a check of certificates that is on anyway", async () => {
    const { report } = await runVerify(getBundle(), { env: { NODE_TLS_REJECT_UNAUTHORIZED: "1" } });

    expect(report.ok).toBe(true);
  });

  it("is the same one twice", async () => {
    const { clientId } = createSubject();
    const { report } = await runVerify(getBundle(), {
      subject: createSubject({ clientId }),
      args: ["--client-id", clientId, "--client-id", clientId],
    });

    expect(report.ok).toBe(true);
  });
});
