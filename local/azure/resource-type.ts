import type { Azure } from "./context";
import type { AzureError } from "./errors";
import type { JsonObject } from "./json";
import type { Resource } from "./state";

/** A PUT that was checked as far as all resource types have it in common. */
export interface PutRequest {
  /** Id the resource has or will have, in Azure's casing. */
  readonly id: string;
  readonly name: string;
  /** The whole request body. */
  readonly body: JsonObject;
  /** `properties` of the body. */
  readonly properties: JsonObject;
  /** Normalised location; "" for a type that has none. */
  readonly location: string;
  /** The resource as it stands, when the PUT updates one. */
  readonly existing: Resource | undefined;
}

/** What a type makes of a PUT. Location, tags, etag and provisioning state are added for it. */
export type PutResult = Pick<
  Resource,
  "properties" | "sku" | "zones" | "identity" | "passwordDigest" | "scriptRun"
>;

/** A type of resource in a group: what is special about it. What is common is in resource-routes. */
export interface ResourceType {
  /** Canonical name, such as "Microsoft.Network/virtualNetworks/subnets". */
  readonly type: string;
  readonly apiVersions: readonly string[];
  /** Whether it has a location and tags of its own; a child like a subnet hasn't. */
  readonly isTracked: boolean;
  /** Whether PUT and DELETE are long-running operations. */
  readonly isLongRunning: boolean;
  /**
   * What PATCH does: change tags only, or make the body of a PUT out of the resource as it is shown
   * and the patch. No PATCH, when absent.
   */
  readonly patch?:
    "tags" | ((shown: JsonObject, patch: JsonObject, existing: Resource) => JsonObject);
  /** Query parameters that a GET understands, lower case. */
  readonly getQuery?: readonly string[];
  /** Query parameters that a list understands, lower case. */
  readonly listQuery?: readonly string[];
  /** Checks a resource name. @throws AzureError 400 */
  readonly checkName?: (name: string) => void;
  /**
   * Checks the request and works out the new resource, changing nothing but children that it
   * describes. There is none for a type that only others create.
   * @throws AzureError for what Azure refuses.
   */
  readonly put?: (request: PutRequest, azure: Azure) => PutResult;
  /** Runs once the resource is stored, before the answer. */
  readonly afterPut?: (resource: Resource, azure: Azure) => Promise<void> | void;
  /**
   * What the operation of a PUT has to do besides letting time pass, and why it failed at it. The
   * answer to the PUT doesn't wait for it.
   */
  readonly provision?: (
    resource: Resource,
    request: PutRequest,
    azure: Azure,
  ) => Promise<AzureError | undefined>;
  /** Properties as a GET shows them, references back included. */
  readonly view?: (resource: Resource, azure: Azure, query: ArmQuery) => JsonObject;
  /** Why the resource can't be deleted now; undefined when it can. */
  readonly findUse?: (resource: Resource, azure: Azure) => AzureError | undefined;
  /** Runs when the resource is gone. */
  readonly afterDelete?: (resource: Resource, azure: Azure) => Promise<void> | void;
}

/** Query parameters of a request, by lower-case name. */
export type ArmQuery = Readonly<Record<string, string>>;
