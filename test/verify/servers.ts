import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer, Server as HttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
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
  /** Ends all connections; `await using` does it, too. */
  close: () => Promise<void>;
}

/** A key and certificate for 127.0.0.1, signed by itself. */
export interface Certificate {
  cert: string;
  key: string;
}

/** Makes a certificate that is its own trust anchor. */
export async function createCertificate(): Promise<Certificate> {
  const { cert, private: key } = await generate([{ name: "commonName", value: "verify test" }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { cert, key };
}

/**
 * Starts a server that gives the replies in turn and repeats the last one.
 * @param certificate makes it an https server
 */
export async function startServer(
  replies: Reply[],
  certificate?: Certificate,
): Promise<TestServer> {
  const received: Received[] = [];
  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", url = "", headers, socket } = request;
    received.push({ method, url, headers });
    const reply = replies[Math.min(received.length, replies.length) - 1];
    if (reply === undefined) throw new Error("The server has no replies.");
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

/** A proxy that records every request and tunnel asked of it, and refuses them all with the given status. */
export async function startRefusingProxy(
  status: number,
): Promise<TestServer & { tunnels: string[] }> {
  const tunnels: string[] = [];
  const received: Received[] = [];
  const server = createHttpServer((request, response) => {
    const { method = "", url = "", headers } = request;
    received.push({ method, url, headers });
    response.writeHead(status, { "content-type": "text/html" }).end("<h1>Proxy</h1>");
  });
  server.on("connect", (request, socket) => {
    tunnels.push(request.url ?? "");
    socket.end(
      `HTTP/1.1 ${status} Refused\r\nContent-Type: text/html\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<h1>Proxy</h1>`,
    );
  });
  return { ...(await listen(server, received)), tunnels };
}

async function listen(server: Server, received: Received[]): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const protocol = server instanceof HttpsServer ? "https" : "http";
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `${protocol}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close,
    [Symbol.asyncDispose]: close,
  };
}
