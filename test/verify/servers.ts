import { randomUUID } from "node:crypto";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { generate } from "selfsigned";

/** One request as it arrived. */
export interface Received {
  method: string;
  /** Path and query as sent. */
  url: string;
  headers: IncomingMessage["headers"];
}

/** What a server does with one request: answers it, or misbehaves with the response at hand. */
export type Reply =
  | { status: number; headers?: Record<string, string>; body?: string | object }
  | ((response: ServerResponse, socket: Socket) => void);

/** A real server on a free port of 127.0.0.1 that records what it gets. */
export interface TestServer extends AsyncDisposable {
  /** Base URL, no trailing slash. */
  url: string;
  received: Received[];
  /** How many connections were made, over the whole time. */
  countConnections: () => number;
  /** Ends all connections; `await using` does it, too. */
  close: () => Promise<void>;
}

/** Ends a connection in the middle of things: with a reset where that can be sent. */
export function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** A key and certificate for 127.0.0.1, signed by itself. */
export interface Certificate {
  cert: string;
  key: string;
}

/**
 * Makes a certificate that is its own trust anchor.
 * @param notAfterDate the end of its validity; a year from now by default
 */
export async function createCertificate(notAfterDate?: Date): Promise<Certificate> {
  // Trust anchors are looked up by name.
  const name = `verify test ${randomUUID()}`;
  const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    ...(notAfterDate ? { notBeforeDate: new Date(0), notAfterDate } : {}),
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { cert, key };
}

/**
 * Starts a server.
 * @param getReply chooses the reply to each request, which is in `received` by then
 * @param certificate makes it an https server
 */
export async function startServer(
  getReply: (request: Received) => Reply,
  certificate?: Certificate,
): Promise<TestServer> {
  const received: Received[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", url = "", headers, socket } = request;
    const asked = { method, url, headers };
    received.push(asked);
    const reply = getReply(asked);
    if (typeof reply === "function") {
      reply(response, socket);
      return;
    }
    const { status, body = "" } = reply;
    const isText = typeof body === "string";
    response.writeHead(status, {
      ...(isText ? {} : { "content-type": "application/json; charset=utf-8" }),
      ...reply.headers,
    });
    response.end(isText ? body : JSON.stringify(body));
  };
  const server: Server = certificate
    ? createHttpsServer(certificate, onRequest)
    : createHttpServer(onRequest);
  // A client that gives up mid-answer is part of the tests.
  server.on("clientError", (_error, socket) => socket.destroy());
  return listen(server, received);
}

/** Makes a server listen on a free port of 127.0.0.1. */
export async function listen(server: Server, received: Received[]): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let connections = 0;
  server.on("connection", () => (connections += 1));
  const protocol = server instanceof HttpsServer ? "https" : "http";
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    countConnections: () => connections,
    close,
    [Symbol.asyncDispose]: close,
  };
}
