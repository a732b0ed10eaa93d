import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";

import { generate } from "selfsigned";
import { describe, expect, onTestFinished, test } from "vitest";

import { CommandError } from "../../../local/pulumi-cli/child-process";
import { officialDownload } from "../../../local/pulumi-cli/download";
import { makeFolder, NO_SHELL_SCRIPTS } from "./fixtures";

/** Stands in for Pulumi's install script: puts a CLI of the asked version where it is told. */
const INSTALL_SCRIPT = `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
  --install-root) root=$2; shift ;;
  --version) version=$2; shift ;;
  esac
  shift
done
mkdir -p "$root/bin"
printf '#!/bin/sh\\necho v%s\\n' "$version" > "$root/bin/pulumi"
chmod +x "$root/bin/pulumi"
`;

/** A proxy that leads every host to a server that stands in for Pulumi's site. */
async function startSite(answer: { status: number; body: string }) {
  const { cert, private: key } = await generate([{ name: "commonName", value: "get.pulumi.com" }], {
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 2, value: "get.pulumi.com" }] },
    ],
  });
  const paths: string[] = [];
  const site = createHttpsServer({ cert, key }, (request, response) => {
    paths.push(`${request.headers.host ?? ""}${request.url ?? ""}`);
    response.writeHead(answer.status).end(answer.body);
  });
  const proxy = createHttpServer();
  const sockets = new Set<Socket>();
  proxy.on("connect", (_request, socket: Socket) => {
    const upstream = connect((site.address() as AddressInfo).port, "127.0.0.1");
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on("error", () => end.destroy());
    }
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    socket.pipe(upstream).pipe(socket);
  });
  for (const server of [site, proxy]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    site.close();
    proxy.close();
  });
  const folder = makeFolder();
  writeFileSync(join(folder, "ca.pem"), cert);
  return {
    paths,
    env: {
      PATH: process.env.PATH,
      HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    },
  };
}

function ignore(): void {
  // These tests don't read the progress.
}

describe.skipIf(NO_SHELL_SCRIPTS)("officialDownload", () => {
  test("installs the asked version into the folder", async () => {
    const { env, paths } = await startSite({ status: 200, body: INSTALL_SCRIPT });
    const root = makeFolder();

    await officialDownload.fill(root, { version: "3.259.0", env, log: ignore });

    expect(readFileSync(join(root, "bin", "pulumi"), "utf8")).toContain("echo v3.259.0");
    expect(paths).toEqual(["get.pulumi.com/install.sh"]);
  });

  test("fails with the site's answer", async () => {
    const { env } = await startSite({ status: 503, body: "" });
    const root = makeFolder();

    const fill = officialDownload.fill(root, { version: "3.259.0", env, log: ignore });

    await expect(fill).rejects.toThrow(/install\.sh: 503/);
    await expect(fill).rejects.toBeInstanceOf(CommandError);
    expect(existsSync(join(root, "bin"))).toBe(false);
  });

  test("fails soon where the site can't be reached", async () => {
    // Nothing listens on port 1, the only way out that is offered.
    const env = { PATH: process.env.PATH, HTTPS_PROXY: "http://127.0.0.1:1" };
    const start = performance.now();

    const fill = officialDownload.fill(makeFolder(), { version: "3.259.0", env, log: ignore });

    await expect(fill).rejects.toThrow(
      /Failed to download https:\/\/get\.pulumi\.com\/install\.sh/,
    );
    expect(performance.now() - start).toBeLessThan(15_000);
  });
});
