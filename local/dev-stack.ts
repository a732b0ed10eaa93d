import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import * as path from "node:path";
import { LocalWorkspace, type PulumiCommand, type Stack } from "@pulumi/pulumi/automation";
import { REPOSITORY, runIndexTs } from "./program";

/** The stack whose settings stand in `Pulumi.dev.yaml`. */
const STACK_NAME = "dev";

/** The repository's dev stack, on a state and with a password of its own. */
export interface DevStack {
  /** Runs the repository's `index.ts` with its `Pulumi.yaml`, in this process. */
  readonly stack: Stack;
  /** Goes with every operation on {@link stack}, so that the repository's `Pulumi.dev.yaml` stays as it is. */
  readonly operationOptions: {
    /**
     * The stack's settings: the values of `Pulumi.dev.yaml`, and what `pulumi stack init` and
     * `pulumi config set --secret adminPassword` would add to that file.
     */
    readonly configFile: string;
    /** To show secrets, the CLI would look for the stack's salt in the repository's file, and write one there. */
    readonly showSecrets: false;
  };
  /** Changes a setting, or a part of it such as `tags.environment`, as `pulumi config set --path` does. */
  setConfig(name: string, value: string): Promise<void>;
  /** Takes a setting back to its default, as `pulumi config rm --path` does. */
  removeConfig(name: string): Promise<void>;
  /** Changes a secret setting, as `pulumi config set --secret` does. */
  setSecret(name: string, value: string): Promise<void>;
}

/** Creates the dev stack, not deployed yet, with a new administrator password that nobody needs to know. */
export async function createDevStack(options: {
  readonly pulumi: PulumiCommand;
  readonly pulumiEnv: Readonly<Record<string, string>>;
  /** Where the stack's settings are to be kept. */
  readonly folder: string;
}): Promise<DevStack> {
  const common = { pulumiCommand: options.pulumi, envVars: { ...options.pulumiEnv } };
  const repository = await LocalWorkspace.create({ ...common, workDir: REPOSITORY });
  const { name: projectName, runtime } = await repository.projectSettings();

  // The CLI writes a stack's salt and secrets beside the project file: this folder takes them.
  await mkdir(options.folder);
  const settings = await LocalWorkspace.create({
    ...common,
    workDir: options.folder,
    projectSettings: { name: projectName, runtime },
  });
  await settings.createStack(STACK_NAME);
  await settings.saveStackSettings(STACK_NAME, {
    ...(await repository.stackSettings(STACK_NAME)),
    ...(await settings.stackSettings(STACK_NAME)),
  });

  function setConfig(name: string, value: string): Promise<void> {
    return settings.setConfig(STACK_NAME, name, { value }, true);
  }
  function removeConfig(name: string): Promise<void> {
    return settings.removeConfig(STACK_NAME, name, true);
  }
  function setSecret(name: string, value: string): Promise<void> {
    return settings.setConfig(STACK_NAME, name, { value, secret: true });
  }
  await setSecret("adminPassword", createPassword());

  const stack = await LocalWorkspace.selectStack(
    {
      stackName: STACK_NAME,
      projectName,
      program: () => Promise.resolve(runIndexTs()),
    },
    { ...common, workDir: REPOSITORY },
  );
  const configFile = path.join(options.folder, `Pulumi.${STACK_NAME}.yaml`);
  return {
    stack,
    operationOptions: { configFile, showSecrets: false },
    setConfig,
    removeConfig,
    setSecret,
  };
}

/** Makes a password with every kind of character that Azure asks for. */
function createPassword(): string {
  return `${randomBytes(24).toString("base64url")}-aA1`;
}
