import type { Azure } from "../context";

/** A request to the metadata service, its query not yet looked at. */
export interface ImdsRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** An answer of the metadata service. */
export interface ImdsAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the metadata service of one VM answers from. */
export interface ImdsContext {
  readonly azure: Azure;
  /** Id of the VM; its resource is looked up anew for each request, since updates replace it. */
  readonly vmId: string;
}

/** A refusal as the metadata service words it: `{"error", "error_description"}`. */
export function refuse(status: number, error: string, description: string): ImdsAnswer {
  return { status, body: { error, error_description: description } };
}
