import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import fastify from "fastify";
import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifyServerOptions,
} from "fastify";

import type { ServerCertificate } from "./certificate";
import type { Faults } from "./faults";

/** Largest request body, in bytes: Azure Resource Manager's own limit of 4 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Longest path segment, in characters; Azure's names end long before. */
const MAX_SEGMENT_CHARS = 1024;

/** What is known of a request once it is over. It has neither query nor headers nor bodies. */
export interface RequestRecord {
  readonly service: "arm" | "imds";
  readonly method: string;
  readonly path: string;
  /** Status of the answer; 0 when the connection was closed without one. */
  readonly status: number;
  readonly durationMs: number;
  /** When it came in, in milliseconds since the epoch. */
  readonly at: number;
}

/** What both kinds of server need to be told. */
export interface ServerSettings {
  readonly service: RequestRecord["service"];
  /** Present for HTTPS. */
  readonly certificate?: ServerCertificate;
  /** Milliseconds that every answer waits. */
  readonly latencyMs: number;
  readonly faults: Faults;
  readonly onRequest: (record: RequestRecord) => void;
}

/** How a service answers, whatever it is asked. */
export interface ServiceShape {
  /** The headers that every answer has. */
  readonly getHeaders: (request: FastifyRequest) => Record<string, string>;
  /** The body for a URL that can't be decoded, or has too long a segment. */
  readonly getUrlRefusal: (status: number) => object;
}

/**
 * A server with nothing on it yet but what both services share: case-insensitive paths, records of
 * requests, latency, faults, and the headers that every answer of the service has.
 */
export function createHttpServer(settings: ServerSettings, service: ServiceShape): FastifyInstance {
  const recorders = new WeakMap<FastifyRequest, (status: number) => void>();

  /** What every request gets first: its record, and the answer's headers. */
  function begin(request: FastifyRequest, reply: FastifyReply): void {
    const { method } = request;
    const path = getPath(request.url);
    const at = Date.now();
    const started = performance.now();
    const record = (status: number): void => {
      if (!recorders.delete(request)) return;
      const durationMs = performance.now() - started;
      settings.onRequest({ service: settings.service, method, path, status, durationMs, at });
    };
    recorders.set(request, record);
    // For a reset, and a client that didn't wait; after an answer it does nothing.
    reply.raw.once("close", () => {
      record(0);
    });
    reply.headers(service.getHeaders(request));
  }

  const options = {
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
    routerOptions: {
      // Azure's paths are case-insensitive, and clients send doubled slashes that it puts up with.
      caseSensitive: false,
      ignoreDuplicateSlashes: true,
      ignoreTrailingSlash: true,
      maxParamLength: MAX_SEGMENT_CHARS,
    },
    // Fastify's own answers quote the URL. These requests reach no hook.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      const status = error.statusCode ?? 400;
      begin(request, reply);
      recorders.get(request)?.(status);
      void reply.code(status).send(service.getUrlRefusal(status));
    },
  } satisfies FastifyServerOptions;
  const { certificate } = settings;
  const server: FastifyInstance =
    certificate === undefined ? fastify(options) : fastify({ ...options, https: certificate });

  server.addHook("onRequest", async (request, reply) => {
    const { faults, latencyMs } = settings;
    const { method } = request;
    const path = getPath(request.url);
    begin(request, reply);
    if (latencyMs > 0) await sleep(latencyMs);
    const fault = faults.take({ service: settings.service, method, path });
    if (fault === undefined) return;
    if (fault.answer === "reset") {
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    const { status, headers = {}, body = "" } = fault.answer;
    await reply.code(status).headers(headers).send(body);
  });
  // Just before the answer leaves: whoever has the answer finds its record.
  server.addHook("onSend", (request, reply, _payload, done) => {
    recorders.get(request)?.(reply.statusCode);
    done();
  });
  return server;
}

/** Starts to listen on 127.0.0.1 and a free port, and returns that port. */
export async function listenOnFreePort(server: FastifyInstance): Promise<number> {
  await server.listen({ host: "127.0.0.1", port: 0 });
  return (server.server.address() as AddressInfo).port;
}

/** A request's path without its query. */
export function getPath(url: string): string {
  return url.split("?", 1)[0] ?? "";
}
