import type { FastifyInstance, FastifyReply } from "fastify";

import type { Azure, MetadataServices } from "../context";
import { createHttpServer, getPath, listenOnFreePort } from "../http-server";
import type { ServerSettings } from "../http-server";
import { refuse } from "./answer";
import type { ImdsAnswer, ImdsContext, ImdsRequest } from "./answer";
import { answerIdentityInfo, createTokenAnswers } from "./identity";
import { answerInstance } from "./instance";
import type { Resource } from "../state";

/** The metadata services of all VMs that run, one HTTP server each. */
export interface ImdsServers extends MetadataServices {
  /** `http://127.0.0.1:PORT` of that VM's service; undefined when it has none. */
  getEndpoint(vmId: string): string | undefined;
  close(): Promise<void>;
}

/**
 * The Azure Instance Metadata Service, as far as a managed identity needs it: tokens, the tenant and
 * the instance. "Azure Instance Metadata Service",
 * https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service.
 */
export function createImdsServers(getAzure: () => Azure, settings: ServerSettings): ImdsServers {
  const servers = new Map<string, { endpoint?: string; server: FastifyInstance }>();
  let isClosed = false;

  return {
    async start(virtualMachine: Resource) {
      const key = virtualMachine.id.toLowerCase();
      if (servers.has(key) || isClosed) return;
      const server = createImdsServer({ azure: getAzure(), vmId: virtualMachine.id }, settings);
      // Known before it listens, so that a stop that comes meanwhile finds it.
      const entry: { endpoint?: string; server: FastifyInstance } = { server };
      servers.set(key, entry);
      const port = await listenOnFreePort(server);
      if (servers.get(key) === entry) entry.endpoint = `http://127.0.0.1:${port}`;
      else await server.close();
    },
    async stop(vmId) {
      const key = vmId.toLowerCase();
      const running = servers.get(key);
      servers.delete(key);
      await running?.server.close();
    },
    getEndpoint: (vmId) => servers.get(vmId.toLowerCase())?.endpoint,
    async close() {
      isClosed = true;
      const running = [...servers.values()];
      servers.clear();
      await Promise.all(running.map(({ server }) => server.close()));
    },
  };
}

function createImdsServer(context: ImdsContext, settings: ServerSettings): FastifyInstance {
  const server = createHttpServer(settings, {
    getHeaders: () => ({ server: "IMDS/150.870.65.1854" }),
    // Inferred.
    getUrlRefusal: (status) =>
      refuse(status, "invalid_request", "The request URL is invalid.").body,
  });
  const answerToken = createTokenAnswers(context);
  const routes: Readonly<
    Record<string, (request: ImdsRequest) => ImdsAnswer | Promise<ImdsAnswer>>
  > = {
    "/metadata/identity/oauth2/token": answerToken,
    "/metadata/identity/info": () => answerIdentityInfo(context),
    "/metadata/instance": (request) => answerInstance(request, context),
    "/metadata/instance/compute": (request) => answerInstance(request, context),
  };

  server.addHook("onRequest", (request, reply, done) => {
    // The status for X-Forwarded-For is not documented; 403 is inferred.
    if (request.headers["x-forwarded-for"] !== undefined) {
      send(reply, refuse(403, "invalid_request", "X-Forwarded-For header is not allowed"));
    } else if (!isTrue(request.headers["metadata"])) {
      send(reply, refuse(400, "invalid_request", "Required metadata header not specified"));
    } else {
      done();
    }
  });
  for (const [path, answer] of Object.entries(routes)) {
    server.get(path, async (request, reply) => {
      const { searchParams } = new URL(request.url, "http://imds.invalid");
      const { status, body } = await answer({ path, query: searchParams });
      return reply.code(status).send(body);
    });
    // Body inferred; the status is documented.
    server.route({
      method: ["POST", "PUT", "PATCH", "DELETE"],
      url: path,
      handler: (_request, reply) =>
        reply.code(405).send(refuse(405, "invalid_request", "Method Not Allowed").body),
    });
  }
  server.setNotFoundHandler((request, reply) => {
    const path = getPath(request.url);
    // Real parts of the service that are not here must not look as if they didn't exist.
    const isReal = /^\/metadata\/(?:instance|attested|scheduledevents|loadbalancer)\b/i.test(path);
    send(
      reply,
      isReal
        ? refuse(501, "not_implemented", `The local Azure does not implement GET ${path}.`)
        : refuse(404, "Not found", "The requested resource is not found"),
    );
  });
  server.setErrorHandler((error, _request, reply) => {
    const message = error instanceof Error ? error.message : "";
    send(reply, refuse(500, "unknown", `The local Azure failed: ${message}`));
  });
  return server;
}

function send(reply: FastifyReply, { status, body }: ImdsAnswer): void {
  void reply.code(status).send(body);
}

function isTrue(header: string | string[] | undefined): boolean {
  return typeof header === "string" && header.toLowerCase() === "true";
}
