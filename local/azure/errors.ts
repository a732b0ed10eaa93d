/** One entry of an Azure error's `details`. */
export interface AzureErrorDetail {
  code: string;
  message: string;
  target?: string;
}

/** What an Azure error has besides status, code and message. */
export interface AzureErrorOptions {
  target?: string;
  details?: readonly AzureErrorDetail[];
  headers?: Readonly<Record<string, string>>;
}

/**
 * A refusal as Azure Resource Manager answers it: an HTTP status, a service code and a message.
 * Shape: "Common API response details", https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors
 */
export class AzureError extends Error {
  override readonly name = "AzureError";
  readonly status: number;
  readonly code: string;
  readonly options: AzureErrorOptions;

  constructor(status: number, code: string, message: string, options: AzureErrorOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.options = options;
  }
}

/** The JSON body of an {@link AzureError}: `{"error": {"code", "message", …}}`. */
export function toErrorBody(error: AzureError): { error: Record<string, unknown> } {
  const { target, details } = error.options;
  return {
    error: {
      code: error.code,
      message: error.message,
      ...(target === undefined ? {} : { target }),
      ...(details === undefined ? {} : { details }),
    },
  };
}

/**
 * A request that the real Azure may well answer, but this one doesn't know: always 501, never a
 * success that nothing stands behind.
 */
export function notImplemented(what: string): AzureError {
  return new AzureError(501, "NotImplemented", `The local Azure does not implement ${what}.`);
}

/** 400 for a request body that cannot be read as what the route expects. */
export function invalidRequestContent(problem: string): AzureError {
  return new AzureError(
    400,
    "InvalidRequestContent",
    `The request content was invalid and could not be deserialized: '${problem}'.`,
  );
}

/** 400 of Microsoft.Compute for one setting out of rule. `message` must never quote a secret. */
export function invalidParameter(target: string, message: string): AzureError {
  return new AzureError(400, "InvalidParameter", message, { target });
}

/** 400 of Microsoft.Compute for a setting that must be there. */
export function missingParameter(target: string): AzureError {
  return invalidParameter(target, `Required parameter '${target}' is missing (null).`);
}

/** 404 for a resource group that doesn't exist. */
export function resourceGroupNotFound(name: string): AzureError {
  return new AzureError(
    404,
    "ResourceGroupNotFound",
    `Resource group '${name}' could not be found.`,
  );
}

/** 404 for a resource that doesn't exist in a group that does. */
export function resourceNotFound(type: string, name: string, group: string): AzureError {
  return new AzureError(
    404,
    "ResourceNotFound",
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** 400 for a property that names a resource which doesn't exist, or stands in another region. */
export function invalidResourceReference(missing: string, referrer: string): AzureError {
  return new AzureError(
    400,
    "InvalidResourceReference",
    `Resource ${missing} referenced by resource ${referrer} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
    { details: [] },
  );
}

/**
 * 429 for a reference to a resource whose own operation still runs. Seen in
 * https://github.com/hashicorp/terraform/issues/7986.
 */
export function referenceNotProvisioned(
  reference: string,
  referrer: string,
  state: string,
): AzureError {
  return new AzureError(429, "RetryableError", "A retryable error occurred.", {
    headers: { "retry-after": "1" },
    details: [
      {
        code: "ReferencedResourceNotProvisioned",
        message: `Cannot proceed with operation because resource ${reference} used by resource ${referrer} is not in Succeeded state. Resource is in ${state} state.`,
      },
    ],
  });
}
