import * as pulumi from "@pulumi/pulumi";
import {
  checkAdminPassword,
  checkAdminUsername,
  checkIdentityName,
  checkImageSku,
  checkLocation,
  checkTags,
  checkVmName,
  checkVmSize,
} from "./rules";

/** All that a person can set for a stack; `Pulumi.yaml` describes each setting and gives its default. */
export interface Settings {
  /** The region's short name, such as `westeurope`. */
  readonly location: string;
  readonly identityName: string;
  /** The VM's name in Azure, and its computer name in Windows. */
  readonly vmName: string;
  readonly vmSize: string;
  readonly imageSku: string;
  readonly adminUsername: string;
  /** A secret output: it reaches the VM and, encrypted, the state, and nothing else. */
  readonly adminPassword: pulumi.Output<string>;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Reads and checks every setting of the stack, before any resource is registered.
 *
 * @param config the project's configuration
 * @throws {pulumi.RunError} when settings are missing or wrong: one message that names each of them,
 *   what is wrong and the command that sets it, and never a password
 */
export function loadSettings(config: pulumi.Config): Settings {
  const problems: string[] = [];
  function report(name: string, problem: string | undefined, command: string): void {
    if (problem !== undefined) problems.push(`  ${name} ${problem}\n    fix: ${command}`);
  }
  function read(name: string, rule: (value: string) => string | undefined): string {
    const value = config.get(name);
    const problem = value === undefined ? "is not set" : rule(value);
    report(name, problem, `pulumi config set ${name} <value>`);
    return value ?? "";
  }

  const location = read("location", checkLocation);
  const identityName = read("identityName", checkIdentityName);
  const vmName = read("vmName", checkVmName);
  const vmSize = read("vmSize", checkVmSize);
  const imageSku = read("imageSku", checkImageSku);
  const adminUsername = read("adminUsername", checkAdminUsername);
  const tags = config.getObject<Record<string, string>>("tags") ?? {};
  report("tags", checkTags(tags), "pulumi config set --path tags.<name> <value>");

  // The plain value, to check it now: an output's value comes when resources are already on their way.
  const password = pulumi.runtime.getConfig(`${config.name}:adminPassword`);
  report(
    "adminPassword",
    password === undefined ? "is not set" : checkAdminPassword(password),
    "pulumi config set --secret adminPassword",
  );

  if (problems.length > 0) {
    throw new pulumi.RunError(
      `Nothing was created: the settings of stack ${pulumi.getStack()} need a correction.\n${problems.join("\n")}`,
    );
  }
  return {
    location,
    identityName,
    vmName,
    vmSize,
    imageSku,
    adminUsername,
    adminPassword: config.requireSecret("adminPassword"),
    tags,
  };
}
