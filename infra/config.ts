import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { checkAllowRdpFrom } from "./cidr-blocks";
import {
  checkAdminPassword,
  checkAdminUsername,
  checkIdentityId,
  checkIdentityName,
  checkImageSku,
  checkLastVmName,
  checkLocation,
  checkNoOtherName,
  checkResourceGroupId,
  checkSwitch,
  checkTags,
  checkVmCount,
  checkVmName,
  checkVmSize,
} from "./rules";
import { SettingReader } from "./setting-reader";

/** All that a person can set for a stack; `Pulumi.yaml` describes each setting and gives its default. */
export interface Settings {
  /** The region's short name, such as `westeurope`. */
  readonly location: string;
  /** The id of a group to put everything into; undefined: the stack makes one. */
  readonly resourceGroupId: string | undefined;
  /** The name of the identity that the stack makes. */
  readonly identityName: string;
  /** The id of an identity to use instead of making one. */
  readonly identityId: string | undefined;
  /** The first VM's name in Azure, and its computer name in Windows; further ones have it with their number. */
  readonly vmName: string;
  readonly vmCount: number;
  readonly vmSize: string;
  readonly imageSku: string;
  readonly adminUsername: string;
  /** A secret output: it reaches the VM and, encrypted, the state, and nothing else. */
  readonly adminPassword: pulumi.Output<string>;
  /** CIDR blocks of those who may reach the VMs by Remote Desktop; none: nobody, and no VM has a public address. */
  readonly allowRdpFrom: readonly string[];
  /** The script that each VM is to run, as the last step of a deployment, to prove that access works; undefined: none. */
  readonly verifyScript: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** What `npm run build` makes of verify for a Windows Server without Node. */
const VERIFY_SCRIPT_FILE = path.join(__dirname, "..", "dist", "verify.ps1");

/**
 * Reads and checks every setting of the stack, before any resource is registered.
 *
 * @param config the project's configuration
 * @param verifyScriptFile the built script, for when the stack is to prove that access works
 * @throws {pulumi.RunError} when settings are missing or wrong: one message that names each of them,
 *   what is wrong and the command that sets it, and never a password
 */
export function loadSettings(
  config: pulumi.Config,
  verifyScriptFile = VERIFY_SCRIPT_FILE,
): Settings {
  const reader = new SettingReader(config);
  const vmCount = reader.readValue<number>("vmCount", checkVmCount, 1);
  const vmName = reader.readText(
    "vmName",
    (name) => checkVmName(name) ?? checkLastVmName(name, vmCount),
  );
  const identityId = reader.readOptionalText("identityId", checkIdentityId);
  const identityName = reader.readText(
    "identityName",
    (name) => checkIdentityName(name) ?? checkNoOtherName(name, identityId),
  );
  reader.checkSecret("adminPassword", checkAdminPassword);
  const settings = {
    location: reader.readText("location", checkLocation),
    resourceGroupId: reader.readOptionalText("resourceGroupId", checkResourceGroupId),
    identityName,
    identityId,
    vmName,
    vmCount,
    vmSize: reader.readText("vmSize", checkVmSize),
    imageSku: reader.readText("imageSku", checkImageSku),
    adminUsername: reader.readText("adminUsername", checkAdminUsername),
    allowRdpFrom: reader.readValue<string[]>(
      "allowRdpFrom",
      checkAllowRdpFrom,
      [],
      "pulumi config set --path 'allowRdpFrom[0]' <block>",
    ),
    verifyScript: readVerifyScript(reader, verifyScriptFile),
    tags: reader.readValue<Record<string, string>>(
      "tags",
      checkTags,
      {},
      "pulumi config set --path --type string tags.<name> <value>",
    ),
  };
  reader.throwIfWrong();
  return { ...settings, adminPassword: config.requireSecret("adminPassword") };
}

function readVerifyScript(reader: SettingReader, file: string): string | undefined {
  if (!reader.readValue<boolean>("verifyOnDeploy", checkSwitch, false)) return undefined;
  if (existsSync(file)) return readFileSync(file, "utf8");
  reader.report("verifyOnDeploy", `needs ${file}, which isn't there`, "npm run build");
  return undefined;
}
