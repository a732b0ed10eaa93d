import type { Azure } from "./context";
import { AzureError } from "./errors";
import { getRetryAfterHeader } from "./operations";
import { getParam, SUBSCRIPTION_PATH } from "./route";
import type { ArmAnswer, ArmRequest, Route } from "./route";
import type { Operation } from "./state";

/** Microsoft's clients repeat the query of the request whose operation they poll. */
const REPEATED_QUERY = ["skipshutdown"];

const NAMESPACES = ["Microsoft.Compute", "Microsoft.Network"] as const;

/** What a long-running request belongs to, for its polling URLs. */
export interface OperationLinks {
  namespace: string;
  location: string;
}

/**
 * Headers of an answer that starts a long-running operation: where to poll its status
 * (Azure-AsyncOperation), for a deletion also its result (Location), and when.
 * "Track asynchronous Azure operations",
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations.
 */
export function getOperationHeaders(
  operation: Operation,
  links: OperationLinks,
  request: ArmRequest,
  hasLocation: boolean,
): Record<string, string> {
  const base = `${request.endpoint}/subscriptions/${getParam(request.params, "subscriptionId")}/providers/${links.namespace}/locations/${links.location}`;
  const query = `api-version=${request.apiVersion}`;
  return {
    "azure-asyncoperation": `${base}/operations/${operation.id}?${query}`,
    ...(hasLocation ? { location: `${base}/operationResults/${operation.id}?${query}` } : {}),
    ...getRetryAfterHeader(operation),
  };
}

/** Header of the answer that starts a resource group's deletion: it has only a result URL. */
export function getGroupOperationHeaders(
  operation: Operation,
  request: ArmRequest,
): Record<string, string> {
  const subscription = getParam(request.params, "subscriptionId");
  return {
    location: `${request.endpoint}/subscriptions/${subscription}/operationresults/${operation.id}?api-version=${request.apiVersion}`,
    ...getRetryAfterHeader(operation),
  };
}

/**
 * Routes that long-running operations are polled at. They need a valid token but no role: an
 * operation's id is known only to who started it (inferred).
 */
export function getOperationRoutes(azure: Azure): Route[] {
  function getOperation(request: ArmRequest): Operation {
    const id = getParam(request.params, "operationId");
    const operation = azure.state.operations.get(id);
    if (operation === undefined) {
      throw new AzureError(404, "NotFound", `The operation '${id}' could not be found.`);
    }
    return operation;
  }

  function getStatus(request: ArmRequest): ArmAnswer {
    const { id, status, startTime, endTime, failure } = getOperation(request);
    return {
      status: 200,
      headers: getPollingHeaders(getOperation(request)),
      body: { name: id, status, startTime, endTime, ...failure?.body },
    };
  }

  function getResult(request: ArmRequest): ArmAnswer {
    const operation = getOperation(request);
    if (operation.status === "InProgress") {
      return { status: 202, headers: getPollingHeaders(operation) };
    }
    return operation.failure ?? { status: 200 };
  }

  const byNamespace = NAMESPACES.flatMap((namespace): Route[] => {
    const location = `${SUBSCRIPTION_PATH}/providers/${namespace}/locations/:location`;
    return [
      {
        method: "GET",
        path: `${location}/operations/:operationId`,
        type: `${namespace}/locations/operations`,
        query: REPEATED_QUERY,
        handle: getStatus,
      },
      {
        method: "GET",
        path: `${location}/operationResults/:operationId`,
        type: `${namespace}/locations/operationResults`,
        query: REPEATED_QUERY,
        handle: getResult,
      },
    ];
  });
  return [
    ...byNamespace,
    {
      method: "GET",
      path: `${SUBSCRIPTION_PATH}/operationresults/:operationId`,
      type: "Microsoft.Resources/operationresults",
      handle: getResult,
    },
  ];
}

function getPollingHeaders(operation: Operation): Record<string, string> {
  if (operation.status !== "InProgress") return {};
  return getRetryAfterHeader(operation);
}
