import type { ImdsSettings } from "./config";
import { VerifyError } from "./errors";
import { NOT_IMDS_HINT, toImdsCameBack, toImdsError } from "./imds-failures";
import { askImds, IMDS_RETRIES } from "./imds-request";
import { isObject } from "./json";
import type { Waiting } from "./retry";

/** The VM as its instance metadata describe it. What IMDS leaves empty is absent. */
export interface Instance {
  /** The VM's resource id. */
  resourceId?: string;
  name?: string;
  subscriptionId?: string;
  /** The VM's own resource group. */
  resourceGroup?: string;
  /** The cloud it runs in, such as `AzurePublicCloud`; the casing varies. */
  environment?: string;
  /** By name in lower case: tag names are case-insensitive. */
  tags: Readonly<Record<string, string>>;
}

/**
 * Asks the VM's metadata service what VM this is ("Azure Instance Metadata Service", category `instance/compute`).
 * @throws VerifyError one of the `IMDS_…` codes
 */
export async function getInstance(settings: ImdsSettings, waiting: Waiting): Promise<Instance> {
  const { asked, outcome } = await askImds(
    settings,
    "/metadata/instance/compute?api-version=2021-02-01",
    IMDS_RETRIES,
    waiting,
  );
  if (outcome.kind === "failure" || outcome.status !== 200) {
    throw toImdsError(outcome, asked, settings);
  }
  const instance = readInstance(outcome.json);
  if (instance) return instance;
  throw new VerifyError("IMDS_BAD_ANSWER", {
    message: "The answer to the instance metadata request is none that IMDS gives.",
    hint: NOT_IMDS_HINT,
    asked,
    cameBack: toImdsCameBack(outcome),
  });
}

/** The wire form: strings, "" for what is missing, and tags as a list of name and value; undefined if it is none. */
export function readInstance(json: unknown): Instance | undefined {
  if (!isObject(json)) return undefined;
  const fields = {
    resourceId: json.resourceId,
    name: json.name,
    subscriptionId: json.subscriptionId,
    resourceGroup: json.resourceGroupName,
    environment: json.azEnvironment,
  };
  if (Object.values(fields).every((value) => value === undefined)) return undefined;
  const instance: Instance = { tags: readTags(json.tagsList) };
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === "") continue;
    if (typeof value !== "string") return undefined;
    instance[name as keyof typeof fields] = value;
  }
  return instance;
}

function readTags(tagsList: unknown): Record<string, string> {
  if (!Array.isArray(tagsList)) return {};
  const pairs = (tagsList as unknown[]).flatMap((tag) => {
    const { name, value } = isObject(tag) ? tag : {};
    return typeof name === "string" && typeof value === "string"
      ? [[name.toLowerCase(), value] as const]
      : [];
  });
  return Object.fromEntries(pairs);
}
