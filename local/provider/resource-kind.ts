import type { AzureClients } from "./clients";
import type { PropertyMap, PropertyValue } from "./struct";

/** Path of a resource group, with which the paths of what is in it begin. */
export const RESOURCE_GROUP_PATH =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";

/** The `{…}` names in a path, as a union. */
type KeyOf<Path extends string> = Path extends `${string}{${infer Key}}${infer Rest}`
  ? Key | KeyOf<Rest>
  : never;

/** Values for the `{…}` names of a path. */
export type PathKeys<Key extends string = string> = Readonly<Record<Key, string>>;

/** How azure-native names a resource whose name the program leaves out. */
export type AutoNaming =
  /** Logical name and 8 hex digits. */
  | "random"
  /** A UUID. */
  | "uuid"
  /** The logical name as it is. */
  | "exact";

/** What the stand-in knows of one azure-native resource type. */
export interface ResourceKind<Path extends string = string> {
  /** REST path, its `{…}` named as azure-native's inputs; `{subscriptionId}` comes from the provider. */
  path: Path;
  apiVersion: string;
  /** The path key that is the resource's own name. */
  nameKey: KeyOf<Path>;
  autoNaming: AutoNaming;
  /** Inputs that go into the request's body. */
  bodyInputs: readonly string[];
  /** Inputs Azure demands, besides the path keys. */
  required: readonly string[];
  /** Inputs whose change replaces the resource, besides the path keys. */
  forceNew: readonly string[];
  /** Paths inside body inputs that only Azure writes; `[]` stands for any index. */
  readOnly?: readonly string[];
  /** Sub-resources that can be resources of their own: left as they are in Azure when the program doesn't list them. */
  maintained?: readonly string[];
  /** Creates or updates, to the end of the operation. The serializer of the client checks the body, so not its type. */
  put: (clients: AzureClients, keys: PathKeys<KeyOf<Path>>, body: never) => Promise<unknown>;
  /** Reads; `expand` is for functions only, of those types in {@link canExpand}. */
  get: (clients: AzureClients, keys: PathKeys<KeyOf<Path>>, expand?: string) => Promise<unknown>;
  /** Whether its function takes what else to read as its argument `expand`. */
  canExpand?: boolean;
  /** Deletes, to the end of the operation. */
  delete: (clients: AzureClients, keys: PathKeys<KeyOf<Path>>) => Promise<unknown>;
}

/** Types a kind's operations by the keys in its path. */
export function defineKind<Path extends string>(kind: ResourceKind<Path>): ResourceKind {
  return kind;
}

/** The inputs that make up a resource's id. */
export function pathInputs(kind: ResourceKind): string[] {
  return [...kind.path.matchAll(/\{(\w+)\}/g)]
    .map(([, key = ""]) => key)
    .filter((key) => key !== "subscriptionId");
}

/** The keys in a resource's inputs. */
export function keysOf(kind: ResourceKind, inputs: PropertyMap): PathKeys {
  return Object.fromEntries(pathInputs(kind).map((key) => [key, toKey(inputs[key])]));
}

/** The id Azure will give a resource with these keys. */
export function idOf(kind: ResourceKind, subscriptionId: string, keys: PathKeys): string {
  return kind.path.replace(/\{(\w+)\}/g, (_, key: string) =>
    key === "subscriptionId" ? subscriptionId : (keys[key] ?? ""),
  );
}

/**
 * The keys in a resource id; casing of the fixed parts doesn't matter, as in Azure.
 * @throws Error when the id isn't one of this kind's.
 */
export function parseId(kind: ResourceKind, id: string): PathKeys {
  const pattern = kind.path
    .replace("{subscriptionId}", "[^/]+")
    .replace("{scope}", "(?<scope>.+)") // the one key of several segments
    .replace(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  const groups = new RegExp(`^${pattern}$`, "i").exec(id)?.groups;
  if (!groups) throw new Error(`'${id}' is not an id of the form '${kind.path}'.`);
  return groups;
}

// A scope is an id itself and starts with a slash, but so does what precedes it in the path.
function toKey(value: PropertyValue | undefined): string {
  return typeof value === "string" ? value.replace(/^\/+|\/+$/g, "") : "";
}
