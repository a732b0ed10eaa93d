import type { ResourceKind, PathKeys } from "./resource-kind";
import { isPropertyMap, type PropertyMap, type PropertyValue } from "./struct";

/** Read-only in whatever object they stand. */
const READ_ONLY_NAMES = ["etag", "provisioningState"];

/** Inputs of some network resources that only repeat what the path says. */
const PATH_ECHOES = ["id", "name", "type"];

/** The request body of a resource's inputs: azure-native's list of identities becomes Azure's map. */
export function toBody(kind: ResourceKind, inputs: PropertyMap): PropertyMap {
  const body = pick(inputs, kind.bodyInputs);
  const { identity } = body;
  if (isPropertyMap(identity) && Array.isArray(identity["userAssignedIdentities"])) {
    const ids = identity["userAssignedIdentities"].map(String);
    const userAssignedIdentities = Object.fromEntries(ids.map((id) => [id, {}]));
    body["identity"] = { ...identity, userAssignedIdentities };
  }
  return body;
}

/** azure-native's outputs from what a client read: plain JSON, flattened by the client, without nulls and the id. */
export function toOutputs(kind: ResourceKind, response: unknown): PropertyMap {
  const json = JSON.stringify(response, (_, value: unknown) => value ?? undefined);
  const outputs = JSON.parse(json) as PropertyMap;
  delete outputs["id"];
  outputs["azureApiVersion"] = kind.apiVersion;
  return outputs;
}

/** The part of the outputs that could have been inputs, in the inputs' shape. */
export function toInputs(kind: ResourceKind, outputs: PropertyMap): PropertyMap {
  const names = kind.bodyInputs.filter((name) => !PATH_ECHOES.includes(name));
  const inputs = withoutReadOnly(pick(outputs, names), "", kind.readOnly ?? []) as PropertyMap;
  const { identity } = inputs;
  if (isPropertyMap(identity) && isPropertyMap(identity["userAssignedIdentities"])) {
    const userAssignedIdentities = Object.keys(identity["userAssignedIdentities"]);
    inputs["identity"] = { ...identity, userAssignedIdentities };
  }
  return inputs;
}

/** The inputs of a resource that is to be imported: all that can be written, and the keys in its id. */
export function toImportedInputs(
  kind: ResourceKind,
  keys: PathKeys,
  outputs: PropertyMap,
): PropertyMap {
  // Azure gives a scope with its leading slash, as programs do.
  return { ...keys, ...pick(outputs, Object.keys(keys)), ...toInputs(kind, outputs) };
}

/** The entries of a map with the given names. */
export function pick(map: PropertyMap, names: readonly string[]): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([name]) => names.includes(name)));
}

function withoutReadOnly(
  value: PropertyValue,
  path: string,
  readOnly: readonly string[],
): PropertyValue {
  if (Array.isArray(value)) {
    return value.map((item) => withoutReadOnly(item, `${path}[]`, readOnly));
  }
  if (!isPropertyMap(value)) return value;
  const kept: PropertyMap = {};
  for (const [name, item] of Object.entries(value)) {
    const itemPath = path === "" ? name : `${path}.${name}`;
    if (READ_ONLY_NAMES.includes(name) || readOnly.includes(itemPath)) continue;
    kept[name] = withoutReadOnly(item, itemPath, readOnly);
  }
  return kept;
}
