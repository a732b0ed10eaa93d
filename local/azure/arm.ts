import { randomUUID } from "node:crypto";

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

import type { Azure } from "./context";
import { AzureError, invalidRequestContent, notImplemented, toErrorBody } from "./errors";
import { createHttpServer, getPath, listenOnFreePort } from "./http-server";
import type { ServerSettings } from "./http-server";
import { checkLocks } from "./locks";
import { authorize } from "./rbac";
import { fillPath } from "./route";
import type { Route } from "./route";
import { isSameText } from "./state";
import type { Caller } from "./tokens";

/** A running Azure Resource Manager. */
export interface ArmServer {
  /** `https://127.0.0.1:PORT`, no trailing slash. */
  endpoint: string;
  close(): Promise<void>;
}

/**
 * Starts Azure Resource Manager with these routes. Each request is checked in Azure's order: the
 * api-version is there, the token is good, the subscription exists, the api-version is one the
 * resource type has, the caller may do it, no lock forbids it, the body is JSON. A path without a route is 501.
 */
export async function startArm(
  azure: Azure,
  routes: readonly Route[],
  settings: ServerSettings,
): Promise<ArmServer> {
  const server = createHttpServer(settings, {
    getHeaders: getResponseHeaders,
    // The code is inferred.
    getUrlRefusal: (status) =>
      toErrorBody(new AzureError(status, "InvalidRequestUri", "The request URL is invalid.")),
  });
  const callers = new WeakMap<FastifyRequest, Caller>();
  let endpoint = "";
  addErrorAnswers(server);
  for (const route of routes) {
    server.route({
      method: route.method,
      url: route.path,
      onRequest: async (request) => {
        callers.set(request, await checkRequest(azure, route, request));
      },
      handler: async (request, reply) => {
        const { "api-version": apiVersion = "", ...query } = readQuery(request);
        checkQuery(route, query);
        const caller = callers.get(request);
        if (caller === undefined) throw new Error("The request was not authenticated.");
        const answer = await route.handle({
          params: request.params as Record<string, string>,
          query,
          body: request.body,
          caller,
          apiVersion,
          endpoint,
        });
        reply.code(answer.status).headers(answer.headers ?? {});
        return reply.send(answer.body);
      },
    });
  }
  endpoint = `https://127.0.0.1:${await listenOnFreePort(server)}`;
  return { endpoint, close: () => server.close() };
}

async function checkRequest(azure: Azure, route: Route, request: FastifyRequest): Promise<Caller> {
  const apiVersion = readQuery(request)["api-version"];
  if (apiVersion === undefined || apiVersion === "") {
    throw new AzureError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
    );
  }
  const caller = await azure.tokens.verify(request.headers.authorization);
  const params = request.params as Record<string, string>;
  const subscription = params["subscriptionId"];
  if (subscription !== undefined && !isSameText(subscription, azure.state.subscriptionId)) {
    throw new AzureError(
      404,
      "SubscriptionNotFound",
      `The subscription '${subscription}' could not be found.`,
    );
  }
  checkApiVersion(route, apiVersion);
  if (route.action !== undefined && route.getScope !== undefined) {
    const scope = route.getScope(params);
    authorize(azure.state, caller, route.action, scope, azure.rolePropagationMs);
  }
  if (route.isAboveLocks !== true) {
    checkLocks(azure.state, route.method, fillPath(route.path, params));
  }
  return caller;
}

function checkApiVersion({ apiVersions, type }: Route, apiVersion: string): void {
  if (apiVersions === undefined || apiVersions.includes(apiVersion)) return;
  const supported = apiVersions.join(", ");
  if (type.startsWith("Microsoft.Resources/")) {
    throw new AzureError(
      400,
      "InvalidApiVersionParameter",
      `The api-version '${apiVersion}' is invalid. The supported versions are '${supported}'.`,
    );
  }
  throw new AzureError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for API version '${apiVersion}' for type '${type.split("/").slice(1).join("/")}'. The supported api-versions are '${supported}'.`,
  );
}

function checkQuery(route: Route, query: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(query).find((name) => !(route.query ?? []).includes(name));
  if (unknown === undefined) return;
  throw notImplemented(`the query parameter '${unknown}' of ${route.method} ${route.type}`);
}

/** Query parameters by lower-case name; of a repeated one, the last counts. */
function readQuery(request: FastifyRequest): Record<string, string> {
  const { searchParams } = new URL(request.url, "https://arm.invalid");
  return Object.fromEntries([...searchParams].map(([name, value]) => [name.toLowerCase(), value]));
}

/** The ids that support asks for; a client can give the correlation id itself. */
function getResponseHeaders(request: FastifyRequest): Record<string, string> {
  const requestId = randomUUID();
  const correlationId = request.headers["x-ms-correlation-request-id"];
  return {
    "x-ms-request-id": requestId,
    "x-ms-correlation-request-id": typeof correlationId === "string" ? correlationId : requestId,
    "cache-control": "no-cache",
  };
}

function addErrorAnswers(server: FastifyInstance): void {
  server.setNotFoundHandler((request, reply) => {
    sendError(notImplemented(`${request.method} ${getPath(request.url)}`), reply);
  });
  server.setErrorHandler((error, _request, reply) => {
    sendError(toAzureError(error), reply);
  });
}

function sendError(error: AzureError, reply: FastifyReply): void {
  void reply
    .code(error.status)
    .headers({ ...error.options.headers })
    .send(toErrorBody(error));
}

/** Fastify's own errors about a body have codes of theirs; anything else is a defect of ours. */
function toAzureError(error: unknown): AzureError {
  if (error instanceof AzureError) return error;
  const { code, statusCode, message } = error as {
    code?: string;
    statusCode?: number;
    message?: string;
  };
  switch (code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return new AzureError(413, "RequestEntityTooLarge", "The request body is too large.");
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return new AzureError(
        415,
        "UnsupportedMediaType",
        "The content media type is not supported. Only 'application/json' is supported.",
      );
    default:
      // The parser's own message quotes the body, which can hold a password.
      if (statusCode === 400) return invalidRequestContent("The body is not valid JSON");
      return new AzureError(500, "InternalServerError", `The local Azure failed: ${message ?? ""}`);
  }
}
