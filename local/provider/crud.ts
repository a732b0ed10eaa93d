import { isDeepStrictEqual } from "node:util";
import type { AzureClients } from "./clients";
import { applyDrift } from "./diff";
import {
  isSerializerError,
  describeError,
  InitializationFailedError,
  isNotFound,
  isRefusal,
  OperationFailedError,
} from "./errors";
import { idOf, keysOf, parseId, type PathKeys, type ResourceKind } from "./resource-kind";
import { pick, toBody, toImportedInputs, toInputs, toOutputs } from "./shape";
import { isPropertyMap, UNKNOWN, type PropertyMap } from "./struct";

/** The Azure that resources are deployed to. */
export interface Azure {
  clients: AzureClients;
  subscriptionId: string;
}

/** A resource as it stands in the state. */
export interface ResourceState {
  id: string;
  inputs: PropertyMap;
  outputs: PropertyMap;
}

/**
 * Creates a resource.
 * @throws Error when one of that id exists already: creating means PUT, which would quietly take it over.
 * @throws InitializationFailedError when creation failed, but left a resource behind, or it can't be read.
 */
export async function createResource(
  azure: Azure,
  kind: ResourceKind,
  inputs: PropertyMap,
): Promise<ResourceState> {
  const keys = keysOf(kind, inputs);
  const id = idOf(kind, azure.subscriptionId, keys);
  if (await findResponse(azure, kind, keys)) {
    throw new Error(`cannot create already existing resource '${id}'`);
  }
  let written: unknown;
  try {
    written = await put(azure, kind, keys, toBody(kind, inputs));
  } catch (error) {
    throw await findRemains(azure, kind, { id, inputs, outputs: {} }, error);
  }
  return readBack(azure, kind, { id, inputs, outputs: toOutputs(kind, written) });
}

/** Puts a resource. @throws Error that holds none of the inputs' values, which may be secrets. */
async function put(
  azure: Azure,
  kind: ResourceKind,
  keys: PathKeys,
  body: PropertyMap,
): Promise<unknown> {
  try {
    return await kind.put(azure.clients, keys, body as never);
  } catch (error) {
    if (!isSerializerError(error)) throw error;
    throw new Error(`An input of '${idOf(kind, azure.subscriptionId, keys)}' has a wrong type.`);
  }
}

/**
 * Updates a resource in place.
 * @throws InitializationFailedError when Azure accepted the update and then failed at it, or it can't be read.
 */
export async function updateResource(
  azure: Azure,
  kind: ResourceKind,
  inputs: PropertyMap,
): Promise<ResourceState> {
  const keys = keysOf(kind, inputs);
  const id = idOf(kind, azure.subscriptionId, keys);
  const body = {
    ...(await currentSubResources(azure, kind, keys, inputs)),
    ...toBody(kind, inputs),
  };
  let written: unknown;
  try {
    written = await put(azure, kind, keys, body);
  } catch (error) {
    if (!(error instanceof OperationFailedError)) throw error;
    throw await findRemains(azure, kind, { id, inputs, outputs: {} }, error);
  }
  return readBack(azure, kind, { id, inputs, outputs: toOutputs(kind, written) });
}

/**
 * Reads a resource as it is now, for a refresh (with its last known state) or an import (without). Inputs follow what
 * drifted in Azure. Undefined when it no longer exists.
 */
export async function readResource(
  azure: Azure,
  kind: ResourceKind,
  id: string,
  last: { inputs: PropertyMap; outputs: PropertyMap } | undefined,
): Promise<ResourceState | undefined> {
  const keys = parseId(kind, id);
  const response = await findResponse(azure, kind, keys);
  if (!response) return undefined;
  const outputs = toOutputs(kind, response);
  if (!last) return { id, inputs: toImportedInputs(kind, keys, outputs), outputs };

  // Sub-resources the program doesn't list are managed elsewhere: their comings and goings are no drift.
  const ignored = (kind.maintained ?? []).filter((name) => !(name in last.inputs));
  const project = (map: PropertyMap) => {
    const inputs = toInputs(kind, map);
    return pick(
      inputs,
      Object.keys(inputs).filter((name) => !ignored.includes(name)),
    );
  };
  const inputs = applyDrift(last.inputs, project(last.outputs), project(outputs)) as PropertyMap;
  return { id, inputs, outputs };
}

/** Deletes a resource. One that is gone already is fine. */
export async function deleteResource(azure: Azure, kind: ResourceKind, id: string): Promise<void> {
  try {
    await kind.delete(azure.clients, parseId(kind, id));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/**
 * What is known of a resource's outputs before it is created or updated: what it has now and the inputs that Azure will
 * give back as they are. An object or list that changes is unknown, for Azure adds to it.
 */
export function previewOutputs(
  kind: ResourceKind,
  last: { inputs: PropertyMap; outputs: PropertyMap },
  inputs: PropertyMap,
): PropertyMap {
  const outputs = { ...last.outputs };
  for (const name of kind.bodyInputs) {
    const value = inputs[name];
    if (isDeepStrictEqual(value, last.inputs[name])) continue;
    const isPlain = name === "tags" || !(isPropertyMap(value) || Array.isArray(value));
    outputs[name] = value !== undefined && isPlain ? value : UNKNOWN;
  }
  return outputs;
}

async function findResponse(azure: Azure, kind: ResourceKind, keys: PathKeys): Promise<unknown> {
  try {
    return await kind.get(azure.clients, keys);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

// Read after every write, as azure-native does: the answer to a PUT differs in detail from that to a GET, and the next
// refresh would take the difference for drift.
async function readBack(
  azure: Azure,
  kind: ResourceKind,
  written: ResourceState,
): Promise<ResourceState> {
  try {
    const response = await kind.get(azure.clients, keysOf(kind, written.inputs));
    const { id } = response as { id?: string };
    return { ...written, id: id ?? written.id, outputs: toOutputs(kind, response) };
  } catch (error) {
    throw new InitializationFailedError(`written, but not read: ${describeError(error)}`, written);
  }
}

/** The error to report after a failed write: one that carries the resource, if Azure has it. */
async function findRemains(
  azure: Azure,
  kind: ResourceKind,
  state: ResourceState,
  error: unknown,
): Promise<unknown> {
  if (isRefusal(error)) return error;
  const reason = describeError(error);
  try {
    const response = await findResponse(azure, kind, keysOf(kind, state.inputs));
    if (!response) return error;
    const outputs = toOutputs(kind, response);
    return new InitializationFailedError(reason, { ...state, outputs });
  } catch {
    // Nobody knows what became of it. Azure had accepted it only if the operation is what failed.
    return error instanceof OperationFailedError
      ? new InitializationFailedError(reason, state)
      : error;
  }
}

// A PUT without its sub-resources would delete them.
async function currentSubResources(
  azure: Azure,
  kind: ResourceKind,
  keys: PathKeys,
  inputs: PropertyMap,
): Promise<PropertyMap> {
  const names = (kind.maintained ?? []).filter((name) => !(name in inputs));
  if (names.length === 0) return {};
  return pick(toOutputs(kind, await kind.get(azure.clients, keys)), names);
}
