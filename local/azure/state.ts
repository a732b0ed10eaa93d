import type { JsonObject } from "./json";

/**
 * One resource as it is kept: a resource group, a resource in a group, or a role assignment.
 * `properties` is what a GET shows, except for references back, which are worked out when read.
 */
export interface Resource {
  /** Resource id in Azure's casing. */
  readonly id: string;
  readonly name: string;
  /** Canonical type, such as "Microsoft.Network/virtualNetworks/subnets". */
  readonly type: string;
  location?: string;
  tags?: Record<string, string>;
  etag?: string;
  sku?: JsonObject;
  zones?: string[];
  identity?: JsonObject;
  /** Id of the resource this one is managed by (a disk's VM). */
  managedBy?: string;
  /** Of a VM: what is left of its administrator's password. Never shown. */
  passwordDigest?: { salt: Uint8Array; digest: Uint8Array };
  /** Of a run command: its script's latest run. */
  scriptRun?: ScriptRun;
  properties: JsonObject;
}

/** A run of a run command's script. */
export interface ScriptRun {
  /** Tells the settings it ran with from others, secrets included; nothing can be read out of it. */
  readonly digest: string;
  /** Whether its settings have secrets, which aren't kept. */
  readonly hasSecrets: boolean;
  state: "Pending" | "Running" | "Succeeded" | "Failed" | "TimedOut" | "Canceled";
  /** Why there is no exit code, for people. */
  message?: string;
  exitCode?: number;
  output: string;
  error: string;
  startTime?: string;
  endTime?: string;
}

/** A service principal or user of the directory. */
export interface Principal {
  /** Object id (`oid` in tokens). */
  readonly id: string;
  /** Application (client) id (`appid` in tokens). */
  readonly appId: string;
  readonly type: "ServicePrincipal" | "User";
  /** Resource id of the managed identity this principal belongs to, if it does. */
  readonly resourceId?: string;
}

/** A long-running operation. It is over when its status is no longer "InProgress". */
export interface Operation {
  readonly id: string;
  readonly startTime: string;
  /** Milliseconds since the epoch at which it ends, if anybody knows. */
  readonly dueAt?: number;
  status: "InProgress" | "Succeeded" | "Failed" | "Canceled";
  endTime?: string;
  /** Why it failed, as it would have been answered. */
  failure?: { status: number; body: JsonObject };
}

/** Whether a VM runs. A deallocated one has no metadata service. */
export type PowerState = "running" | "stopped" | "deallocated";

/** All that this Azure knows, as plain data. Keys that are ids are in lower case. */
export interface State {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly resources: Map<string, Resource>;
  readonly principals: Map<string, Principal>;
  readonly operations: Map<string, Operation>;
  readonly powerStates: Map<string, PowerState>;
}

/** A state with nothing in it. */
export function createState(subscriptionId: string, tenantId: string): State {
  return {
    subscriptionId,
    tenantId,
    resources: new Map(),
    principals: new Map(),
    operations: new Map(),
    powerStates: new Map(),
  };
}

/** The resource of that id, whatever its casing. */
export function findResource(state: State, id: string): Resource | undefined {
  return state.resources.get(id.toLowerCase());
}

/** The resource of that id if it also is of that type, whatever the casing of either. */
export function findResourceOfType(state: State, type: string, id: string): Resource | undefined {
  const resource = findResource(state, id);
  return resource !== undefined && isSameText(resource.type, type) ? resource : undefined;
}

/** Adds a resource, or replaces the one of the same id. */
export function storeResource(state: State, resource: Resource): void {
  state.resources.set(resource.id.toLowerCase(), resource);
}

/** All resources of that type. */
export function listResources(state: State, type: string): Resource[] {
  return [...state.resources.values()].filter((resource) => resource.type === type);
}

/** All resources below that id, itself not included, at any depth. */
export function listBelow(state: State, id: string): Resource[] {
  const prefix = `${id.toLowerCase()}/`;
  return [...state.resources.entries()]
    .filter(([key]) => key.startsWith(prefix))
    .map(([, resource]) => resource);
}

/** Removes a resource and all that is below it: children and role assignments. */
export function removeResource(state: State, id: string): void {
  for (const resource of listBelow(state, id)) state.resources.delete(resource.id.toLowerCase());
  state.resources.delete(id.toLowerCase());
}

/** Compares as Azure compares ids and names: without regard to case. */
export function isSameText(left: string | undefined, right: string | undefined): boolean {
  return left !== undefined && left.toLowerCase() === right?.toLowerCase();
}
