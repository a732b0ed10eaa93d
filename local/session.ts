import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { PulumiCommand } from "@pulumi/pulumi/automation";

import { type LocalAzure, type LocalAzureSettings, startLocalAzure } from "./azure";
import { type DevStack, createDevStack } from "./dev-stack";
import { startProvider } from "./provider";
import { PULUMI_VERSION, getPulumiCommand } from "./pulumi-cli";
import { runVmScript } from "./vm-script";

/** What {@link startSession} needs. */
export interface SessionOptions {
  /** The environment to look for the Pulumi CLI with. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line of progress. */
  readonly log: (line: string) => void;
  /** Ends the start, and any operation on the stack, when a person has had enough. */
  readonly signal?: AbortSignal;
  readonly azure?: LocalAzureSettings;
}

/** An Azure on this machine, the real Pulumi engine in front of it, and the dev stack, not deployed yet. */
export interface Session {
  readonly azure: LocalAzure;
  readonly pulumi: PulumiCommand;
  readonly devStack: DevStack;
  /** What the Pulumi CLI needs in its environment to work on this Azure, and on a state of this session's own. */
  readonly pulumiEnv: Readonly<Record<string, string>>;
  /** Holds all the files of this session; gone at its end. */
  readonly folder: string;
  /** The file with the trust anchor of the local Resource Manager, PEM. */
  readonly caFile: string;
  /** Stops the services and removes the files. */
  close(): Promise<void>;
}

/**
 * Starts an Azure on this machine and puts the real Pulumi engine in front of it. What was started is
 * stopped again when a later part can't be.
 *
 * @throws {PulumiCliError} when there is no Pulumi CLI and none can be got
 */
export async function startSession(options: SessionOptions): Promise<Session> {
  const closers: (() => Promise<unknown>)[] = [];
  async function close(): Promise<void> {
    for (const closer of closers.splice(0).reverse()) await closer();
  }
  try {
    const pulumi = await getPulumiCommand({ ...options, version: PULUMI_VERSION });

    const folder = await mkdtemp(path.join(tmpdir(), "local-azure-"));
    closers.push(() => rm(folder, { recursive: true, force: true }));

    const caFile = path.join(folder, "ca.pem");
    const azure: LocalAzure = await startLocalAzure({
      runScript: (request) =>
        runVmScript(request, { azure, caFile, folder: path.join(folder, "vm-scripts") }),
      ...options.azure,
    });
    closers.push(() => azure.close());
    await writeFile(caFile, azure.caCertificate);

    const provider = await startProvider({ ...azure, getToken: () => azure.getDeployerToken() });
    closers.push(() => provider.close());

    const stateFolder = path.join(folder, "state");
    await mkdir(stateFolder);
    const pulumiEnv = {
      PULUMI_BACKEND_URL: `file://${stateFolder.replaceAll("\\", "/")}`,
      PULUMI_CONFIG_PASSPHRASE: randomBytes(24).toString("base64url"),
      PULUMI_HOME: path.join(folder, "pulumi-home"),
      PULUMI_DEBUG_PROVIDERS: `azure-native:${provider.port}`,
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
    const devStack = await createDevStack({
      pulumi,
      pulumiEnv,
      folder: path.join(folder, "dev-stack"),
    });
    return { azure, pulumi, devStack, pulumiEnv, folder, caFile, close };
  } catch (error) {
    await close();
    throw error;
  }
}
