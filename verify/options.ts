import { parseArgs } from "node:util";
import { VerifyError } from "./errors";

/** A setting that takes a value, as `--help` shows it. */
export interface Option {
  /** Its argument, without the dashes. */
  name: string;
  /** The environment variable read when the argument is not given. */
  variable?: string;
  placeholder: string;
  help: string;
  /** What `--help` calls the value used when neither is given. */
  fallback: string;
}

/** One value as given and where it came from, to name the place in an error. */
export interface Given {
  value: string;
  source: string;
}

/** The settings that take a value, in the order of `--help`. */
export const OPTIONS = {
  clientId: {
    name: "client-id",
    variable: "AZURE_CLIENT_ID",
    placeholder: "<guid>",
    help: "client id of the managed identity",
    fallback: "the VM's tag identity-client-id",
  },
  subscriptionId: {
    name: "subscription-id",
    variable: "AZURE_SUBSCRIPTION_ID",
    placeholder: "<guid>",
    help: "subscription of the resource group",
    fallback: "the VM's",
  },
  resourceGroup: {
    name: "resource-group",
    variable: "AZURE_RESOURCE_GROUP",
    placeholder: "<name>",
    help: "resource group to read",
    fallback: "the VM's",
  },
  armEndpoint: {
    name: "arm-endpoint",
    variable: "AZURE_RESOURCE_MANAGER_ENDPOINT",
    placeholder: "<url>",
    help: "Azure Resource Manager, https",
    fallback: "that of the VM's cloud",
  },
  imdsEndpoint: {
    name: "imds-endpoint",
    variable: "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    placeholder: "<url>",
    help: "metadata service (IMDS), http",
    fallback: "http://169.254.169.254",
  },
  wait: {
    name: "wait",
    placeholder: "<seconds>",
    help: "keep trying for this long altogether; 0: don't",
    // A minute more than a new role assignment may take to work, so that a missing one can be told apart.
    fallback: "660",
  },
  timeout: {
    name: "timeout",
    placeholder: "<seconds>",
    help: "bound of each single call",
    fallback: "10",
  },
} as const satisfies Record<string, Option>;

/** The arguments that take no value, and what `--help` says of them. */
export const FLAGS = {
  strict: "fail on warnings: more or less privilege than Reader, a wrong clock",
  json: "print one JSON object, also on failure",
  quiet: "print nothing but failures and warnings, and no progress",
} as const;

/** What a run was started with: values by setting, flags by name. */
export interface Arguments {
  /** The value of a setting from its argument, else its environment variable; undefined when neither is there. */
  find: (option: Readonly<Option>) => Given | undefined;
  has: (flag: keyof typeof FLAGS) => boolean;
}

/**
 * Reads arguments and environment.
 * @param args the arguments after the script's name
 * @param env the environment
 * @throws VerifyError `SETTINGS_INVALID` for an unknown argument, or one given twice with different values
 */
export function readArguments(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Arguments {
  const values = parse(args);
  return {
    find: ({ name, variable }) => {
      const argument = values.get(name);
      if (argument !== undefined) return { value: argument, source: `--${name}` };
      const value = variable === undefined ? undefined : env[variable];
      return variable === undefined || value === undefined
        ? undefined
        : { value, source: variable };
    },
    has: (flag) => values.has(flag),
  };
}

/** The arguments as given, by name; flags have the value "". */
function parse(args: readonly string[]): Map<string, string> {
  // On a VM of the stack there are none, and Node need not load its parser.
  if (args.length === 0) return new Map();
  const options: Record<string, { type: "string" | "boolean" }> = {};
  for (const { name } of Object.values(OPTIONS)) options[name] = { type: "string" };
  for (const name of Object.keys(FLAGS)) options[name] = { type: "boolean" };

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
