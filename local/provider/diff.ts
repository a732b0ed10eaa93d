import { isDeepStrictEqual } from "node:util";
import { pathInputs, type ResourceKind } from "./resource-kind";
import { isPropertyMap, type PropertyMap, type PropertyValue } from "./struct";

/** Input by which azure-native remembers that it made up a name: the replacement can be created first. */
export const CREATE_BEFORE_DELETE = "__createBeforeDelete";

/** What happened to one property. */
export interface PropertyChange {
  kind: "add" | "delete" | "update";
  /** The resource can't be changed in this: it must be replaced. */
  replace: boolean;
}

/** How a resource's inputs changed, and what that asks of the engine. */
export interface ResourceDiff {
  /** By property path, such as `tags.env` or `zones[0]`. */
  changes: Map<string, PropertyChange>;
  /** The old resource has to go first: a replacement of the same name can't stand beside it. */
  deleteBeforeReplace: boolean;
}

/**
 * Compares a resource's old inputs with its new ones, as azure-native's Diff does: inputs with inputs, since outputs
 * hold much that nobody asked for.
 */
export function diffResource(
  kind: ResourceKind,
  olds: { inputs: PropertyMap; outputs: PropertyMap },
  news: PropertyMap,
): ResourceDiff {
  // A resource just imported has no API version among its inputs.
  const azureApiVersion = olds.outputs["azureApiVersion"];
  const oldInputs = azureApiVersion ? { azureApiVersion, ...olds.inputs } : olds.inputs;
  const forceNew = [...pathInputs(kind), ...kind.forceNew];

  const changes = new Map<string, PropertyChange>();
  for (const [path, change] of diffValues(withoutInternal(oldInputs), withoutInternal(news))) {
    if (path === "location" && sameLocation(oldInputs["location"], news["location"])) continue;
    const [input = ""] = path.split(/[.[]/);
    // Writing down what Azure had chosen before changes nothing.
    const alreadySo =
      change === "add" && path === input && isDeepStrictEqual(news[input], olds.outputs[input]);
    changes.set(path, { kind: change, replace: forceNew.includes(input) && !alreadySo });
  }
  const replaces = [...changes.values()].some((change) => change.replace);
  return { changes, deleteBeforeReplace: replaces && olds.inputs[CREATE_BEFORE_DELETE] !== true };
}

/**
 * Carries a drift into a resource's inputs: what differs between the outputs last seen and those seen now is applied to
 * the inputs; values that Azure had filled in by itself stay out of them. All three are in the inputs' shape.
 * Follows `applyDiff` in pulumi-azure-native.
 */
export function applyDrift<Value extends PropertyValue>(
  input: Value,
  seen: PropertyValue,
  now: PropertyValue,
): Value | PropertyValue {
  if (isDeepStrictEqual(seen, now)) return input;
  if (Array.isArray(input) && Array.isArray(seen) && Array.isArray(now)) {
    return now.map((item, index) => {
      const [inputItem, seenItem] = [input[index], seen[index]];
      return inputItem === undefined || seenItem === undefined
        ? item
        : applyDrift(inputItem, seenItem, item);
    });
  }
  if (!isPropertyMap(input) || !isPropertyMap(seen) || !isPropertyMap(now)) return now;

  const result: PropertyMap = {};
  for (const name of new Set([...Object.keys(input), ...Object.keys(now)])) {
    const [inputValue, seenValue, nowValue] = [input[name], seen[name], now[name]];
    if (isDeepStrictEqual(seenValue, nowValue)) {
      if (inputValue !== undefined) result[name] = inputValue;
    } else if (nowValue !== undefined) {
      const followsInput = inputValue !== undefined && seenValue !== undefined;
      result[name] = followsInput ? applyDrift(inputValue, seenValue, nowValue) : nowValue;
    }
  }
  return result;
}

function* diffValues(
  old: PropertyValue | undefined,
  now: PropertyValue | undefined,
  path = "",
): Generator<[path: string, kind: PropertyChange["kind"]]> {
  if (isDeepStrictEqual(old, now)) return;
  if (old === undefined) yield [path, "add"];
  else if (now === undefined) yield [path, "delete"];
  else if (isPropertyMap(old) && isPropertyMap(now)) {
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      yield* diffValues(old[name], now[name], joinPath(path, name));
    }
  } else if (Array.isArray(old) && Array.isArray(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index++) {
      yield* diffValues(old[index], now[index], `${path}[${index}]`);
    }
  } else yield [path, "update"];
}

// A name that isn't an identifier is quoted: "Property paths" in Pulumi's documentation.
function joinPath(path: string, name: string): string {
  if (!/^[\w$]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}

function withoutInternal(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("__")));
}

// Azure takes "West Europe" and "westeurope" for the same place.
function sameLocation(old: PropertyValue | undefined, now: PropertyValue | undefined): boolean {
  if (typeof old !== "string" || typeof now !== "string") return false;
  const normalize = (location: string) => location.toLowerCase().replaceAll(" ", "");
  return normalize(old) === normalize(now);
}
