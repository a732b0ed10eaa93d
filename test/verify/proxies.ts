import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { listen, type Received, type TestServer } from "./servers";

/** A proxy that records every request and every tunnel asked of it. */
export interface Proxy extends TestServer {
  /** `host:port` of each tunnel. */
  tunnels: string[];
}

/**
 * Starts a proxy that opens tunnels, and refuses requests in the open.
 * @param refusal the status with which it refuses tunnels, too
 * @param lastBytes all that it answers to the request for a tunnel before it hangs up
 */
export async function startProxy(refusal?: number, lastBytes?: string): Promise<Proxy> {
  const tunnels: string[] = [];
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    received.push({ method, url, headers });
    response.writeHead(403, { "content-type": "text/html" }).end("<h1>Proxy</h1>");
  });
  server.on("connect", (request, socket) => {
    const target = request.url ?? "";
    tunnels.push(target);
    if (lastBytes !== undefined) {
      socket.end(lastBytes, "latin1");
      return;
    }
    if (refusal !== undefined) {
      socket.end(
        `HTTP/1.1 ${refusal} Refused\r\nContent-Type: text/html\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<h1>Proxy</h1>`,
      );
      return;
    }
    const { hostname, port } = new URL(`http://${target}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on("error", () => other.destroy()).on("close", () => other.destroy());
    }
  });
  return { ...(await listen(server, received)), tunnels };
}

/**
 * Starts a process that listens and does nothing more: by default it takes connections and never answers; else its
 * queue is full, so that connections are not made either.
 */
export async function startSilentServer({ takesConnections = true } = {}): Promise<
  AsyncDisposable & { url: string }
> {
  const program = `
    const server = require("node:net").createServer(() => undefined);
    server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ["--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const fillers: ReturnType<typeof connect>[] = [];
  if (!takesConnections) {
    // Stopped, it accepts nothing, and the kernel's queue of one is soon full.
    child.kill("SIGSTOP");
    for (let i = 0; i < 4; i++) fillers.push(connect(Number(port), "127.0.0.1"));
    await once(fillers[0] ?? child, "connect");
  }
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of fillers) socket.on("error", () => undefined).destroy();
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}
