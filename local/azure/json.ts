import { invalidRequestContent } from "./errors";

/** A JSON object whose members aren't known yet. */
export type JsonObject = Record<string, unknown>;

/** True for a plain JSON object: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The object at `path` of a request body; an absent or null one counts as empty.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readObject(value: unknown, path: string): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw invalidRequestContent(`Expected an object at '${path}'`);
  return value;
}

/**
 * The objects of the array at `path`; an absent or null one counts as empty.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readObjects(value: unknown, path: string): JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidRequestContent(`Expected an array at '${path}'`);
  return value.map((item: unknown, index) => readObject(item, `${path}[${index}]`));
}

/**
 * The text at `path`, or undefined when absent or null.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readText(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalidRequestContent(`Expected a string at '${path}'`);
  return value;
}

/**
 * The truth value at `path`, or undefined when absent or null.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readBoolean(value: unknown, path: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw invalidRequestContent(`Expected a boolean at '${path}'`);
  return value;
}

/**
 * The whole number at `path`, or undefined when absent or null.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readInteger(value: unknown, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  throw invalidRequestContent(`Expected an integer at '${path}'`);
}

/**
 * The texts of the array at `path`; an absent or null one counts as empty.
 * @throws AzureError 400 InvalidRequestContent when it is anything else.
 */
export function readTexts(value: unknown, path: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalidRequestContent(`Expected an array at '${path}'`);
  return value.map((item: unknown, index) => {
    if (typeof item !== "string") {
      throw invalidRequestContent(`Expected a string at '${path}[${index}]'`);
    }
    return item;
  });
}

/** The `id` of a reference `{id}` at `path`, or undefined when there is no reference. */
export function readReference(value: unknown, path: string): string | undefined {
  return readText(readObject(value, path)["id"], `${path}.id`);
}

/**
 * Applies a JSON merge patch (RFC 7396): objects merge, null removes, anything else replaces.
 * Neither argument is changed.
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: JsonObject = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(merged, key);
    else merged[key] = mergePatch(merged[key], value);
  }
  return merged;
}
