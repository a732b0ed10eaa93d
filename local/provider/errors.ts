import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { toStruct, type PropertyMap } from "./struct";

/** A long-running operation that Azure accepted and then reported as failed or canceled. */
export class OperationFailedError extends Error {
  override readonly name = "OperationFailedError";
  /** Status of the answer that carried the failure: 200, the poll itself succeeded. */
  readonly statusCode: number;
  /** Azure's error code, such as `OverconstrainedAllocationRequest`. */
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** A resource that exists in Azure though its creation or update failed: it must not get lost from the state. */
export class InitializationFailedError extends Error {
  override readonly name = "InitializationFailedError";
  readonly id: string;
  readonly inputs: PropertyMap;
  readonly outputs: PropertyMap;

  constructor(reason: string, resource: { id: string; inputs: PropertyMap; outputs: PropertyMap }) {
    super(reason);
    this.id = resource.id;
    this.inputs = resource.inputs;
    this.outputs = resource.outputs;
  }
}

/** Something azure-native may well know, but its stand-in doesn't. */
export class NotSimulatedError extends Error {
  override readonly name = "NotSimulatedError";
}

interface AzureError extends Error {
  statusCode: number;
  code?: string;
}

/** True when Azure answered 404: what was asked for doesn't exist. */
export function isNotFound(error: unknown): boolean {
  return isAzureError(error) && error.statusCode === 404;
}

/** True when Azure refused a request outright: nothing was created or changed. */
export function isRefusal(error: unknown): boolean {
  return isAzureError(error) && error.statusCode >= 400 && error.statusCode < 500;
}

/** True for what a client throws before it sends anything, since an input has a wrong type: the text quotes the input. */
export function isSerializerError(error: unknown): boolean {
  // The clients' own errors have names of their own; the serializer throws plain ones.
  return error instanceof Error && error.name === "Error";
}

/**
 * An error's text as azure-native prints it: `Status=409 Code="…" Message="…"` for an answer of Azure's, the message
 * alone for all else (`PulumiAzcoreResponseError` in pulumi-azure-native).
 */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isAzureError(error)) return error.message;
  const code = error.code === undefined ? "" : ` Code="${error.code}"`;
  // The clients' own message quotes the answer, which may echo a secret.
  const message = error.code === "PARSE_ERROR" ? "The answer is not JSON." : error.message;
  return `Status=${error.statusCode}${code} Message="${message}"`;
}

/**
 * The answer to the engine for an error. An InitializationFailedError carries the resource in
 * `grpc-status-details-bin`, from where the engine puts it into the state.
 */
export function toServiceError(error: unknown): Partial<ServiceError> {
  const message = describeError(error);
  if (error instanceof NotSimulatedError) return { code: status.UNIMPLEMENTED, message };
  if (!(error instanceof InitializationFailedError)) return { code: status.UNKNOWN, message };

  const failure = new ErrorResourceInitFailed()
    .setId(error.id)
    .setProperties(toStruct(error.outputs))
    .setInputs(toStruct(error.inputs))
    .setReasonsList([message]);
  const detail = new Any();
  detail.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const answer = new Status().setCode(status.UNKNOWN).setMessage(message).setDetailsList([detail]);
  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(answer.serializeBinary()));
  return { code: status.UNKNOWN, message, metadata };
}

/** What the `@azure/arm-*` clients throw for an answer that isn't a success (RestError), and our own. */
function isAzureError(error: unknown): error is AzureError {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number";
}
