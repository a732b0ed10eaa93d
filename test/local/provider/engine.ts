import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import {
  LocalWorkspace,
  type EngineEvent,
  type PulumiFn,
  type UpResult,
} from "@pulumi/pulumi/automation";
import { onTestFinished } from "vitest";
import { type LocalAzureSettings, startLocalAzure } from "../../../local/azure";
import { startProvider } from "../../../local/provider";
import { createClients } from "../../../local/provider/clients";
import { getPulumiCommand, PULUMI_VERSION } from "../../../local/pulumi-cli";

/** An empty stack on the real engine, with an Azure and a state of its own; gone after the test. */
export async function startStack(azureSettings: LocalAzureSettings = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), "provider-engine-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const azure = await startLocalAzure(azureSettings);
  onTestFinished(() => azure.close());
  const settings = { ...azure, getToken: () => azure.getDeployerToken() };
  const provider = await startProvider(settings);
  onTestFinished(() => provider.close());

  const stack = await LocalWorkspace.createStack(
    { stackName: "dev", projectName: "engine-test", program: () => Promise.resolve() },
    {
      pulumiCommand: await getPulumiCommand({
        version: PULUMI_VERSION,
        env: process.env,
        log: console.log,
      }),
      pulumiHome: path.join(folder, "home"),
      projectSettings: {
        name: "engine-test",
        runtime: "nodejs",
        backend: { url: `file://${folder.replaceAll("\\", "/")}` },
      },
      envVars: {
        PULUMI_CONFIG_PASSPHRASE: "only for this test",
        PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );

  return {
    azure,
    stack,
    /** A second way into Azure, for what happens behind Pulumi's back. */
    portal: createClients(settings),

    /** Deploys; the changes counted leave out the stack itself and what stays as it is. */
    up: async (program: PulumiFn) => {
      const before = azure.requests.length;
      const result = await stack.up({ program });
      return {
        changes: changesOf(result.summary.resourceChanges),
        outputs: valuesOf(result.outputs),
        requests: azure.requests.slice(before),
      };
    },

    /** Previews; also says what happens to which resource, such as `vm: update`. */
    preview: async (program: PulumiFn) => {
      const steps: string[] = [];
      const onEvent = ({ resourcePreEvent }: EngineEvent) => {
        if (!resourcePreEvent) return;
        const { urn, op } = resourcePreEvent.metadata;
        if (op !== "same") steps.push(`${urn.split("::").at(-1) ?? ""}: ${op}`);
      };
      const result = await stack.preview({ program, onEvent });
      return { changes: changesOf(result.changeSummary), steps };
    },

    /** The resources as they stand in the state's file, secrets encrypted. */
    readState: async (): Promise<StateResource[]> => {
      // stack.exportStack() would decrypt what is secret.
      const file = path.join(folder, ".pulumi", "stacks", "engine-test", "dev.json");
      const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
        checkpoint: { latest: { resources: StateResource[] } };
      };
      return checkpoint.latest.resources;
    },

    /** All the text of all the state's files, with their history. */
    readStateFiles: async () => {
      const files = await readdir(path.join(folder, ".pulumi"), {
        recursive: true,
        withFileTypes: true,
      });
      const texts = files
        .filter((file) => file.isFile())
        .map((file) => readFile(path.join(file.parentPath, file.name), "utf8"));
      return (await Promise.all(texts)).join("\n");
    },
  };
}

interface StateResource {
  urn: string;
  id?: string;
  inputs?: { osProfile?: { adminPassword?: object } };
  initErrors?: string[];
}

function changesOf(counts: object | undefined): Record<string, number> {
  const changes = { ...counts } as Record<string, number>;
  delete changes["same"];
  return changes;
}

function valuesOf(outputs: UpResult["outputs"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { value }]) => [name, value as unknown]),
  );
}
