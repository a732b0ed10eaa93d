import { getProxyForUrl } from "proxy-from-env";
import {
  checkGuid,
  checkResourceGroup,
  checkSeconds,
  checkUrl,
  isSameText,
  refuse,
} from "./checks";
import { CLOUDS, DEFAULT_CLOUD, findCloud } from "./clouds";
import { VerifyError } from "./errors";
import type { Instance } from "./instance";
import { OPTIONS, type Arguments, type Given } from "./options";

/** The tag by which the stack tells a VM the client id of its identity. Tag names are case-insensitive. */
export const CLIENT_ID_TAG = "identity-client-id";

/** What a call to IMDS needs. */
export interface ImdsSettings {
  /** Base URL of IMDS: http, no trailing slash. */
  imdsEndpoint: string;
  /** Bound of each single call, in milliseconds. */
  timeoutMs: number;
}

/** What the token request needs besides. */
export interface TokenSettings extends ImdsSettings {
  /** Client id of the identity to ask a token for: a GUID. */
  clientId: string;
  /** Base URL of Azure Resource Manager: https, no trailing slash. */
  armEndpoint: string;
}

/** Everything verify needs to know, checked. */
export interface Settings extends TokenSettings {
  /** Subscription of the resource group: a GUID. */
  subscriptionId: string;
  /** Name of the resource group to read. */
  resourceGroup: string;
  /** The proxy that the environment names for ARM, without its credentials, for diagnosis only. */
  armProxy?: { variable: string; url: string };
  /** Where each value that the VM itself can give came from. */
  sources: Record<FromVm, string>;
}

/** The settings that the VM itself can give. */
export type FromVm = (typeof FROM_VM)[number];
const FROM_VM = ["clientId", "subscriptionId", "resourceGroup", "armEndpoint"] as const;

/** The settings as far as arguments and environment give them, checked. */
export interface GivenSettings extends ImdsSettings {
  /** Those of the VM's settings that are given. */
  given: Partial<Record<FromVm, Given>>;
  /** For how long altogether failed calls are tried again, in milliseconds; 0: not at all. */
  waitMs: number;
  /** Whether a warning is a failure. */
  strict: boolean;
  /** The proxy for https that the environment names, if it does. */
  proxy: Given | undefined;
}

const CHECKS: Record<FromVm, (given: Given) => string> = {
  clientId: checkGuid,
  subscriptionId: checkGuid,
  resourceGroup: checkResourceGroup,
  armEndpoint: (given) => checkUrl(given, "https:"),
};

/** In the order in which the proxy-from-env package looks for them. */
const PROXY_VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] as const;

/** Settings of Node itself with which the token would not be safe, and what each of them does. */
const UNSAFE_VARIABLES: Readonly<Record<string, string>> = {
  NODE_DEBUG: "makes Node print what it sends, and with it the token",
  NODE_TLS_REJECT_UNAUTHORIZED: "makes Node send the token to whoever answers",
};

/**
 * Reads what arguments and environment give, and refuses what can't be right before anything is asked.
 * @param env the environment, for the proxies that it names
 * @throws VerifyError `SETTINGS_INVALID`, naming where the value came from and what is wrong with it
 */
export function readGivenSettings(
  { find, has }: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): GivenSettings {
  for (const [source, effect] of Object.entries(UNSAFE_VARIABLES)) {
    const value = env[source];
    // Only "0" turns the check of certificates off.
    if (!value || (source === "NODE_TLS_REJECT_UNAUTHORIZED" && value !== "0")) continue;
    throw refuse({ value, source }, effect, "Remove it.");
  }
  const given: GivenSettings["given"] = {};
  for (const name of FROM_VM) {
    const found = find(OPTIONS[name]);
    if (found) given[name] = { value: CHECKS[name](found), source: found.source };
  }
  // By the names as they are: Windows finds a variable in any casing.
  const names = Object.keys(env).filter((name) => env[name]);
  const variable = PROXY_VARIABLES.find((name) => names.includes(name));
  const proxy = variable && { value: env[variable] ?? "", source: variable };
  findProxy(given.armEndpoint?.value ?? DEFAULT_CLOUD.armEndpoint, proxy);
  const read = (option: (typeof OPTIONS)["imdsEndpoint" | "wait" | "timeout"]): Given =>
    find(option) ?? { value: option.fallback, source: "default" };
  return {
    given,
    imdsEndpoint: checkUrl(read(OPTIONS.imdsEndpoint), "http:"),
    waitMs: checkSeconds(read(OPTIONS.wait), 0),
    timeoutMs: checkSeconds(read(OPTIONS.timeout), 0.1),
    strict: has("strict"),
    proxy,
  };
}

/** Whether nothing has to be asked of the VM itself. */
export function isComplete({ given }: GivenSettings): boolean {
  return FROM_VM.every((name) => given[name]);
}

/** The settings of the token request, if nothing has to be asked of the VM for them. */
export function getTokenSettings(settings: GivenSettings): TokenSettings | undefined {
  const { given, imdsEndpoint, timeoutMs } = settings;
  if (!given.clientId || !given.armEndpoint) return undefined;
  const { clientId, armEndpoint } = given;
  return { clientId: clientId.value, armEndpoint: armEndpoint.value, imdsEndpoint, timeoutMs };
}

/**
 * Fills in what is not given from the VM itself.
 * @param instance the VM; undefined when {@link isComplete}
 * @throws VerifyError `SETTINGS_INCOMPLETE` or `IDENTITY_NOT_NAMED` when the VM does not tell either,
 *   `SETTINGS_INVALID` when what it tells is malformed or contradicts what is given
 */
export function completeSettings(settings: GivenSettings, instance?: Instance): Settings {
  const { given, imdsEndpoint, timeoutMs } = settings;
  if (instance) refuseContradictions(given, instance);
  const all = {
    clientId: given.clientId ?? readFromVm("clientId", instance),
    subscriptionId: given.subscriptionId ?? readFromVm("subscriptionId", instance),
    resourceGroup: given.resourceGroup ?? readFromVm("resourceGroup", instance),
    armEndpoint: given.armEndpoint ?? readFromVm("armEndpoint", instance),
  };
  const armProxy = findProxy(all.armEndpoint.value, settings.proxy);
  return {
    clientId: all.clientId.value,
    subscriptionId: all.subscriptionId.value,
    resourceGroup: all.resourceGroup.value,
    armEndpoint: all.armEndpoint.value,
    imdsEndpoint,
    timeoutMs,
    ...(armProxy ? { armProxy } : {}),
    sources: {
      clientId: all.clientId.source,
      subscriptionId: all.subscriptionId.source,
      resourceGroup: all.resourceGroup.source,
      armEndpoint: all.armEndpoint.source,
    },
  };
}

function readFromVm(name: FromVm, instance: Instance | undefined): Given {
  const found: Given | undefined = {
    clientId: toGiven(instance?.tags[CLIENT_ID_TAG], `the VM's tag ${CLIENT_ID_TAG}`),
    subscriptionId: toGiven(instance?.subscriptionId, "the VM's metadata (subscriptionId)"),
    resourceGroup: toGiven(instance?.resourceGroup, "the VM's metadata (resourceGroupName)"),
    armEndpoint: toGiven(
      findCloud(instance?.environment ?? "")?.armEndpoint,
      "the VM's metadata (azEnvironment)",
    ),
  }[name];
  if (found) return { value: CHECKS[name](found), source: found.source };

  const { name: argument, variable, help } = OPTIONS[name];
  const setIt = `Set --${argument} or the environment variable ${variable}.`;
  if (name === "clientId") {
    throw new VerifyError("IDENTITY_NOT_NAMED", {
      message: `The ${help} is not given, and the VM has no tag ${CLIENT_ID_TAG}.`,
      hint:
        `${setIt} It has to be named: a VM can carry several identities, and IMDS then refuses to choose, or gives ` +
        "a token of the VM's own.",
      commands: [
        `az vm identity show ${formatVm(instance)} --query "userAssignedIdentities.*.clientId"`,
      ],
    });
  }
  const cloud = instance?.environment ? ` (its cloud is ${instance.environment})` : "";
  throw new VerifyError("SETTINGS_INCOMPLETE", {
    message: `The ${help} is not given, and the VM's metadata don't tell it${name === "armEndpoint" ? cloud : ""}.`,
    hint: setIt,
  });
}

function toGiven(value: string | undefined, source: string): Given | undefined {
  return value ? { value, source } : undefined;
}

/** Two right values that can't both be meant. */
function refuseContradictions(given: GivenSettings["given"], instance: Instance): void {
  const { subscriptionId, resourceGroup, armEndpoint } = given;
  const own = instance.subscriptionId;
  if (subscriptionId && own && !isSameText(subscriptionId.value, own) && !resourceGroup) {
    throw refuse(
      subscriptionId,
      "names another subscription than the VM's, and no resource group is given",
      `The VM's own group is in ${own}. Set --resource-group, too.`,
    );
  }
  const named = CLOUDS.find((cloud) => cloud.armEndpoint === armEndpoint?.value);
  const cloud = findCloud(instance.environment ?? "");
  if (armEndpoint && named && cloud && named !== cloud) {
    throw refuse(
      armEndpoint,
      `is the endpoint of ${named.environment}, but the VM is in ${cloud.environment}`,
      `An identity gets tokens of its own cloud only: ${cloud.armEndpoint}.`,
    );
  }
}

/** The resource id of the group that verify reads: what roles are assigned on. */
export function getScope({
  subscriptionId,
  resourceGroup,
}: Pick<Settings, "subscriptionId" | "resourceGroup">): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}

/** The argument by which the Azure CLI knows a VM; to be filled in when the VM is not known. */
export function formatVm(instance: Instance | undefined): string {
  const { resourceId = "" } = instance ?? {};
  // What came over http is not put into a command unseen.
  return `--ids "${/^[\w/.()-]+$/.test(resourceId) ? resourceId : "<VM's resource id>"}"`;
}

/** The proxy that the HTTP client will use for ARM, by the rules of the proxy-from-env package, which it asks too. */
function findProxy(armEndpoint: string, given: Given | undefined): Settings["armProxy"] {
  const proxy = given && getProxyForUrl(armEndpoint);
  if (!proxy) return undefined;
  const url = URL.canParse(proxy) ? new URL(proxy) : undefined;
  // Without its http://, the package would take a proxy for one that speaks https.
  if (!given.value.includes("://") || !url || !["http:", "https:"].includes(url.protocol)) {
    throw refuse(
      given,
      "is not the URL of an http proxy",
      "Correct it, for instance to http://proxy.example:8080, or remove it.",
    );
  }
  return { variable: given.source, url: `${url.protocol}//${url.host}` };
}
