import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGroupAnswer, createSubject, createTokenAnswer } from "./azure-answers";
import { createBundle, parseReport, toEnvironment, type Bundle } from "./bundle-run";
import { startServer } from "./servers";

let bundle: Bundle;
beforeAll(async () => {
  bundle = await createBundle();
});
afterAll(() => bundle.remove());

const GUID = "3f0c8a52-5a55-4f0e-9d0b-0a6f4c1f2b7d";

interface Refused {
  name: string;
  args?: string[];
  /** Replaces variables; undefined removes one. */
  env?: Record<string, string | undefined>;
  /** The place the message must name. */
  source: string;
}

const refused: Refused[] = [
  ...["AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP"].flatMap((source) => [
    { name: `no ${source}`, env: { [source]: undefined }, source },
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
    name: "an ARM endpoint that is no URL",
    args: ["--arm-endpoint=arm"],
    source: "--arm-endpoint",
  },
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
  { name: "a negative wait", args: ["--wait=-1"], source: "--wait" },
  { name: "a wait in words", args: ["--wait", "long"], source: "--wait" },
  { name: "an endless wait", args: ["--wait", "1e9"], source: "--wait" },
  { name: "no time at all", args: ["--timeout", "0"], source: "--timeout" },
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
    const subject = createSubject();
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);
    const settings = Object.entries({ ...toEnvironment(subject, imds.url, arm.url), ...env });
    const defined = settings.filter((pair): pair is [string, string] => pair[1] !== undefined);

    const run = await bundle.run(["--json", ...args], Object.fromEntries(defined));

    expect(run.exitCode).toBe(2);
    const report = parseReport(run);
    expect(report).toMatchObject({ ok: false, exitCode: 2, error: { code: "SETTINGS_INVALID" } });
    expect(`${report.error?.message ?? ""} ${report.error?.hint ?? ""}`).toContain(source);
    expect(report.steps.map(({ status }) => status)).toEqual(["failed", "skipped", "skipped"]);
    expect([...imds.received, ...arm.received]).toEqual([]);
  });

  it("never shows the credentials of a URL", async () => {
    const run = await bundle.run([], {
      ...toEnvironment(createSubject(), "http://127.0.0.1:9", "https://me:hunter2@127.0.0.1"),
    });

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain("AZURE_RESOURCE_MANAGER_ENDPOINT");
    expect(run.stdout + run.stderr).not.toContain("hunter2");
  });
});

describe.concurrent("a setting that is unusual but right", () => {
  it.each(["rg_(test).1-a", "gruppe-ä", "RG"])("resource group %s", async (resourceGroup) => {
    const subject = createSubject({ resourceGroup });
    await using imds = await startServer([createTokenAnswer(subject)]);
    await using arm = await startServer([createGroupAnswer(subject)], bundle.certificate);

    const run = await bundle.run(["--json"], toEnvironment(subject, imds.url, `${arm.url}/`));

    expect(run.exitCode).toBe(0);
    expect(decodeURIComponent(arm.received[0]?.url ?? "")).toBe(
      `/subscriptions/${subject.subscriptionId}/resourceGroups/${resourceGroup}?api-version=2021-04-01`,
    );
  });
});
