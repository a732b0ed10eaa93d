import type { JsonObject } from "./json";
import type { Caller } from "./tokens";

/** A request to Azure Resource Manager that passed authentication and authorization. */
export interface ArmRequest {
  /** Path parameters by name. */
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters other than api-version, by lower-case name. */
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON body; undefined when there was none. */
  readonly body: unknown;
  readonly caller: Caller;
  readonly apiVersion: string;
  /** ARM's own URL, for the links in answers; no trailing slash. */
  readonly endpoint: string;
}

/** An answer: 2xx, or 4xx for the outcome of an operation. Refusals are thrown as AzureError. */
export interface ArmAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
}

/** A method and path of Azure Resource Manager. Literal path segments match in any casing. */
export interface Route {
  readonly method: "GET" | "PUT" | "PATCH" | "POST" | "DELETE" | "HEAD";
  /** Path with parameters as `:name`. */
  readonly path: string;
  /** The api-versions it answers to; any, when absent. */
  readonly apiVersions?: readonly string[];
  /** What the resource provider is asked for, for messages: "Microsoft.Network/natGateways". */
  readonly type: string;
  /** The RBAC action that the caller needs at `getScope`; authentication alone, when absent. */
  readonly action?: string;
  /** The scope of that action, worked out from the path parameters. */
  readonly getScope?: (params: Readonly<Record<string, string>>) => string;
  /** Whether no lock can forbid it. */
  readonly isAboveLocks?: boolean;
  /** Names of query parameters it understands besides api-version; any other is answered 501. */
  readonly query?: readonly string[];
  readonly handle: (request: ArmRequest) => ArmAnswer | Promise<ArmAnswer>;
}

/** Path of a subscription. */
export const SUBSCRIPTION_PATH = "/subscriptions/:subscriptionId";

/** Path of a resource group. */
export const GROUP_PATH = `${SUBSCRIPTION_PATH}/resourceGroups/:group`;

/** The value of a path parameter that the route's path is known to have. */
export function getParam(params: Readonly<Record<string, string>>, name: string): string {
  const value = params[name];
  if (value === undefined) throw new Error(`The route has no parameter '${name}'.`);
  return value;
}

/** The path with its parameters filled in: the scope that most actions are checked at. */
export function fillPath(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => getParam(params, name));
}
