import { createHash, randomBytes } from "node:crypto";
import { CREATE_BEFORE_DELETE } from "./diff";
import { pathInputs, type ResourceKind } from "./resource-kind";
import type { PropertyMap, PropertyValue } from "./struct";

/** One resource's inputs before they are checked. */
export interface CheckSettings {
  kind: ResourceKind;
  /** Such as `azure-native:network:Subnet`, for messages. */
  typeToken: string;
  logicalName: string;
  /** Inputs of the resource's last deployment; empty for a new one. */
  olds: PropertyMap;
  /** What the program says. */
  news: PropertyMap;
  /** Makes names repeatable; empty where the engine sends none. */
  randomSeed: Uint8Array;
  /** Where a resource should go by default, given the name of its group if it is in one; undefined when nothing says. */
  getDefaultLocation: (group: PropertyValue | undefined) => Promise<PropertyValue | undefined>;
}

/** The completed inputs, and what is wrong with them: one sentence each, naming the property. */
export interface CheckResult {
  inputs: PropertyMap;
  failures: string[];
}

/**
 * Completes a resource's inputs with its name, location and API version, as azure-native's Check does, and finds what is
 * missing. Stricter than azure-native in one thing: it also refuses a property it doesn't know, which azure-native
 * drops silently.
 */
export async function checkInputs(settings: CheckSettings): Promise<CheckResult> {
  const { kind, typeToken, olds, news } = settings;
  const inputs = { ...news };
  if (inputs[kind.nameKey] === undefined) Object.assign(inputs, autoName(settings));
  if (inputs["location"] === undefined && kind.bodyInputs.includes("location")) {
    const group = kind.nameKey === "resourceGroupName" ? undefined : inputs["resourceGroupName"];
    const location = olds["location"] ?? (await settings.getDefaultLocation(group));
    if (location !== undefined) inputs["location"] = location;
  }
  inputs["azureApiVersion"] ??= kind.apiVersion;

  const required = [...pathInputs(kind), ...kind.required];
  const known = [...pathInputs(kind), ...kind.bodyInputs, "azureApiVersion"];
  const failures = [
    ...required.filter((name) => inputs[name] === undefined).map(describeMissing),
    ...Object.keys(inputs)
      .filter((name) => !known.includes(name) && !name.startsWith("__"))
      .map((name) => `unknown property '${name}': ${typeToken} has no such input`),
  ];
  return { inputs, failures };
}

function describeMissing(name: string): string {
  const hint =
    name === "location"
      ? ". Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'."
      : "";
  return `missing required property '${name}'${hint}`;
}

/** The input that names the resource, and the mark of a name that was made up. */
function autoName({ kind, logicalName, olds, randomSeed }: CheckSettings): PropertyMap {
  const { nameKey } = kind;
  const oldName = olds[nameKey];
  if (oldName !== undefined) {
    const mark = olds[CREATE_BEFORE_DELETE];
    return { [nameKey]: oldName, ...(mark === true && { [CREATE_BEFORE_DELETE]: true }) };
  }
  const seed = randomSeed.length > 0 ? randomSeed : randomBytes(32);
  const digits = createHash("sha256").update(seed).digest("hex");
  switch (kind.autoNaming) {
    case "exact":
      return { [nameKey]: logicalName };
    case "random":
      return { [nameKey]: `${logicalName}${digits.slice(0, 8)}`, [CREATE_BEFORE_DELETE]: true };
    case "uuid": {
      const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
      return { [nameKey]: uuid, [CREATE_BEFORE_DELETE]: true };
    }
  }
}
