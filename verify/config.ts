import { parseArgs } from "node:util";
import { getProxyForUrl } from "proxy-from-env";
import { VerifyError } from "./errors";

/** Everything verify needs to know, checked. */
export interface Settings {
  /** Client id of the identity to ask a token for: a GUID. */
  clientId: string;
  /** Subscription of the resource group: a GUID. */
  subscriptionId: string;
  /** Name of the resource group to read. */
  resourceGroup: string;
  /** Base URL of IMDS: http, no trailing slash. */
  imdsEndpoint: string;
  /** Base URL of Azure Resource Manager: https, no trailing slash. */
  armEndpoint: string;
  /** For how long altogether failed calls are tried again, in milliseconds; 0: not at all. */
  waitMs: number;
  /** Bound of each single call, in milliseconds. */
  timeoutMs: number;
  /** The proxy that the environment names for ARM, without its credentials, for diagnosis only. */
  armProxy?: { variable: string; url: string };
}

/** One value and where it came from, to name the place in an error. */
interface Given {
  value: string;
  source: string;
}

/** A setting as `--help` shows it. */
interface Option {
  name: string;
  variable?: string;
  placeholder: string;
  help: string;
  fallback?: string;
}

const CLIENT_ID: Option = {
  name: "client-id",
  variable: "AZURE_CLIENT_ID",
  placeholder: "<guid>",
  help: "client id of the managed identity",
};
const SUBSCRIPTION_ID: Option = {
  name: "subscription-id",
  variable: "AZURE_SUBSCRIPTION_ID",
  placeholder: "<guid>",
  help: "subscription of the resource group",
};
const RESOURCE_GROUP: Option = {
  name: "resource-group",
  variable: "AZURE_RESOURCE_GROUP",
  placeholder: "<name>",
  help: "resource group to read",
};
const IMDS_ENDPOINT: Option = {
  name: "imds-endpoint",
  variable: "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  placeholder: "<url>",
  help: "metadata service (IMDS), http",
  fallback: "http://169.254.169.254",
};
const ARM_ENDPOINT: Option = {
  name: "arm-endpoint",
  variable: "AZURE_RESOURCE_MANAGER_ENDPOINT",
  placeholder: "<url>",
  help: "Azure Resource Manager, https",
  fallback: "https://management.azure.com",
};
const WAIT: Option = {
  name: "wait",
  placeholder: "<seconds>",
  help: "keep trying for this long altogether; 0: don't",
  // As long as a new role assignment may take to work.
  fallback: "600",
};
const TIMEOUT: Option = {
  name: "timeout",
  placeholder: "<seconds>",
  help: "bound of each single call",
  fallback: "10",
};

/** The settings that take a value, in the order of `--help`. */
export const OPTIONS: readonly Readonly<Option>[] = [
  CLIENT_ID,
  SUBSCRIPTION_ID,
  RESOURCE_GROUP,
  IMDS_ENDPOINT,
  ARM_ENDPOINT,
  WAIT,
  TIMEOUT,
];

/** A day: far above every documented wait, and small enough for a timer. */
const MAX_SECONDS = 86_400;

/**
 * Reads the settings from arguments, then the environment, then defaults.
 * @param args the arguments after the script's name
 * @param env the environment
 * @throws VerifyError `SETTINGS_INVALID`, naming the setting, where its value came from and what is wrong with it
 */
export function readSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const values = parseArguments(args);

  const find = (option: Option): Given => {
    const argument = values.get(option.name);
    if (argument !== undefined) return { value: argument, source: `--${option.name}` };
    const variable = option.variable === undefined ? undefined : env[option.variable];
    if (option.variable !== undefined && variable !== undefined) {
      return { value: variable, source: option.variable };
    }
    if (option.fallback !== undefined) return { value: option.fallback, source: "default" };
    throw new VerifyError("SETTINGS_INVALID", {
      message: `The ${option.help} is not set.`,
      hint: `Set --${option.name} or the environment variable ${option.variable ?? ""}.`,
    });
  };

  const armEndpoint = readUrl(find(ARM_ENDPOINT), "https:");
  const armProxy = findProxy(env, armEndpoint);
  return {
    clientId: readGuid(find(CLIENT_ID)),
    subscriptionId: readGuid(find(SUBSCRIPTION_ID)),
    resourceGroup: readResourceGroup(find(RESOURCE_GROUP)),
    imdsEndpoint: readUrl(find(IMDS_ENDPOINT), "http:"),
    armEndpoint,
    waitMs: readSeconds(find(WAIT), 0),
    timeoutMs: readSeconds(find(TIMEOUT), 0.1),
    ...(armProxy ? { armProxy } : {}),
  };
}

/** The arguments as given, by name; flags have the value "". */
function parseArguments(args: readonly string[]): Map<string, string> {
  const options: Record<string, { type: "string" | "boolean" }> = { json: { type: "boolean" } };
  for (const { name } of OPTIONS) options[name] = { type: "string" };

  let tokens;
  try {
    ({ tokens } = parseArgs({ args: [...args], options, tokens: true }));
  } catch (error) {
    throw new VerifyError("SETTINGS_INVALID", {
      message: error instanceof Error ? error.message : "The arguments can't be read.",
      hint: "See --help for the arguments.",
    });
  }

  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const value = token.value ?? "";
    if (values.has(token.name) && values.get(token.name) !== value) {
      throw new VerifyError("SETTINGS_INVALID", {
        message: `--${token.name} is given twice, with different values.`,
        hint: "Give it once.",
      });
    }
    values.set(token.name, value);
  }
  return values;
}

function readGuid(given: Given): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(given.value)) return given.value;
  throw refuse(
    given,
    `must be a GUID, not ${quote(given.value)}`,
    "It looks like 00000000-0000-0000-0000-000000000000.",
  );
}

/** By "Naming rules and restrictions for Azure resources", `Microsoft.Resources/resourceGroups`. */
function readResourceGroup(given: Given): string {
  if (/^[\p{L}\p{N}_\-.()]{1,90}$/u.test(given.value) && !given.value.endsWith(".")) {
    return given.value;
  }
  throw refuse(
    given,
    `is no name of a resource group: ${quote(given.value)}`,
    "Give the name only: up to 90 letters, digits and _-.(), not ending in a period.",
  );
}

function readUrl(given: Given, protocol: "http:" | "https:"): string {
  const url = URL.canParse(given.value) ? new URL(given.value) : undefined;
  // The value is not quoted: a URL with credentials in it is one of the things refused here.
  const isBase =
    url?.protocol === protocol &&
    url.pathname === "/" &&
    !/[?#]/.test(given.value) &&
    !url.username &&
    !url.password;
  if (isBase) return url.origin;
  throw refuse(
    given,
    `must be the base URL of a server, starting with ${protocol}//`,
    `It looks like ${protocol}//host or ${protocol}//host:port, with no path, user or query.`,
  );
}

function readSeconds(given: Given, min: number): number {
  const seconds = /^\d+(\.\d+)?$/.test(given.value) ? Number(given.value) : NaN;
  if (seconds >= min && seconds <= MAX_SECONDS) return Math.round(seconds * 1_000);
  throw refuse(
    given,
    `must be a number of seconds from ${min} to ${MAX_SECONDS}, not ${quote(given.value)}`,
    "Give a number such as 30.",
  );
}

function refuse({ source }: Given, problem: string, hint: string): VerifyError {
  return new VerifyError("SETTINGS_INVALID", { message: `${source} ${problem}.`, hint });
}

/** Enough of a value to recognize it by. */
function quote(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}

/** The proxy that the HTTP client will use for ARM, by the rules of the proxy-from-env package, which it asks too. */
function findProxy(
  env: Readonly<Record<string, string | undefined>>,
  armEndpoint: string,
): Settings["armProxy"] | undefined {
  const proxy = getProxyForUrl(armEndpoint);
  if (!proxy) return undefined;
  const variable =
    ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].find((name) => env[name]) ??
    "HTTPS_PROXY";
  if (!URL.canParse(proxy)) {
    throw refuse(
      { value: proxy, source: variable },
      "is not the URL of a proxy",
      "Correct it, for instance to http://proxy.example:8080, or remove it.",
    );
  }
  const { protocol, host } = new URL(proxy);
  return { variable, url: `${protocol}//${host}` };
}
