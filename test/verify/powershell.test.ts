import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createScript, PINNED_NODE, type WindowsNode } from "../../verify/powershell";
import { parseReport } from "./bundle-run";
import { useBundle } from "./runs";

const getBundle = useBundle();

describe("verify.ps1", () => {
  let content: Buffer;
  let script: string;
  beforeAll(async () => {
    content = await readFile(getBundle().file);
    script = createScript(content);
  });

  it("holds the same bundle as verify.js", () => {
    const [, packed = ""] = /^\$bundle = '([A-Za-z0-9+/=]+)'$/m.exec(script) ?? [];
    expect(gunzipSync(Buffer.from(packed, "base64")).equals(content)).toBe(true);
  });

  it("has room for a bundle of 44 KB gzipped, and is not made over 64 KB", () => {
    // Random bytes don't shrink, and gzip takes some 30 bytes for itself.
    expect(createScript(randomBytes(43_970)).length).toBeLessThanOrEqual(65_536);
    expect(() => createScript(randomBytes(45_200))).toThrow(/verify\.ps1 would have 66\d{3} bytes/);
  });

  it("is ASCII with Unix line ends, and has no placeholder left", () => {
    expect(script).toMatch(/^[\n\x20-\x7e]+$/);
    expect(script).not.toMatch(/\{\{|\}\}/);
  });

  it("downloads by https only, and only what it has the SHA-256 of", () => {
    const urls = [...script.matchAll(/https?:[^\s'"]+/g)].map(([url]) => url);
    // The other one only asks the system for the way there.
    expect(urls).toEqual([PINNED_NODE.url, "https://management.azure.com/"]);
    expect(PINNED_NODE.url).toBe(
      `https://nodejs.org/dist/${PINNED_NODE.version}/node-${PINNED_NODE.version}-win-x64.zip`,
    );
    for (const hash of [PINNED_NODE.zipSha256, PINNED_NODE.nodeSha256]) {
      expect(hash).toMatch(/^[0-9a-f]{64}$/);
      expect(script).toContain(`'${hash}'`);
    }
  });

  it("runs no text as code", () => {
    expect(script).not.toMatch(/Invoke-Expression|\biex\b|EncodedCommand|ScriptBlock/i);
  });

  it("names in its help each exit code of its own, all of them in the 70s", () => {
    const set = [...script.matchAll(/exitCode = (\d+)$/gm)].map(([, code]) => code);
    const [help = ""] = script.split("#>");
    const named = [...help.matchAll(/^ {2}(\d+) {2}\S/gm)].map(([, code]) => code);
    expect(named).toEqual([...new Set(set)].sort());
    expect(named.filter((code) => !/^7\d$/.test(code ?? ""))).toEqual([]);
  });
});

/** The PowerShells of this Windows: 5.1, its 32-bit build, and 7. None on other systems. */
function findPowerShells(): Record<string, string> {
  if (process.platform !== "win32") return {};
  const windows = process.env["SystemRoot"] ?? "C:\\Windows";
  const inFolder = (folder: string) =>
    join(windows, folder, "WindowsPowerShell", "v1.0", "powershell.exe");
  const found: Record<string, string> = {
    "Windows PowerShell": inFolder("System32"),
    "32-bit Windows PowerShell": inFolder("SysWOW64"),
  };
  const folders = (process.env["PATH"] ?? "").split(";");
  const seven = folders.map((folder) => join(folder, "pwsh.exe")).find((file) => existsSync(file));
  if (seven !== undefined) found["PowerShell 7"] = seven;
  return found;
}

const POWERSHELLS = Object.entries(findPowerShells());
const HERE = POWERSHELLS.length > 0;

/** In place of verify: tells on stdout what it got, writes to stderr, ends with 42. */
const ECHO = `
  console.log(JSON.stringify({ node: process.execPath, args: process.argv.slice(2), umlaut: "ü" }));
  console.error("progress");
  process.exitCode = 42;
`;

interface Echo {
  node: string;
  args: string[];
  umlaut: string;
}

/** An archive with one file in it, not compressed. */
function createZip(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt16LE(20, 0); // version needed
  header.writeUInt16LE(0x21, 8); // date: 1980-01-01
  header.writeUInt32LE(crc32(content), 10);
  header.writeUInt32LE(content.length, 14);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), header, Buffer.from(name)]);
  const central = Buffer.concat([
    Buffer.from("PK\x01\x02\x14\x00"),
    header,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length + content.length, 16);
  return Buffer.concat([local, content, central, end]);
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

describe.skipIf(!HERE).each(HERE ? POWERSHELLS : [["PowerShell, skipped: needs Windows", ""]])(
  "verify.ps1 in %s",
  (_name, powershell) => {
    /** Its name has spaces and an ampersand. */
    let folder: string;
    let zip: Buffer;
    let answers: { status: number; body: Buffer }[];
    let downloads: number;
    /** A Node of its own for each test, since what is downloaded is kept. */
    let node: WindowsNode;
    let keptIn: string;

    const server = createServer((_request, response) => {
      const { status, body } = answers[Math.min(downloads, answers.length - 1)] ?? {
        status: 500,
        body: Buffer.alloc(0),
      };
      downloads += 1;
      response.writeHead(status).end(body);
    });
    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), "verify & its tests "));
      const version = `v0.0.0-${randomUUID()}`;
      const executable = await readFile(process.execPath);
      zip = createZip(`node-${version}-win-x64/node.exe`, executable);
      answers = [{ status: 200, body: zip }];
      downloads = 0;
      const { port } = server.address() as AddressInfo;
      node = {
        version,
        url: `http://127.0.0.1:${port}/node.zip`,
        zipSha256: sha256(zip),
        nodeSha256: sha256(executable),
      };
      const local = process.env["LOCALAPPDATA"] ?? "";
      keptIn = join(local, "verify-managed-identity", `node-${version}`);
      return async () => {
        await rm(folder, { recursive: true, force: true });
        await rm(keptIn, { recursive: true, force: true, maxRetries: 5 });
      };
    });

    async function writeScript(content: Buffer | string = ECHO): Promise<string> {
      const file = join(folder, "verify.ps1");
      await writeFile(file, createScript(Buffer.from(content), node));
      return file;
    }

    /** Runs PowerShell with nothing on PATH but Windows and the given folders. */
    async function run(args: string[], path: string[] = []) {
      const { SystemRoot = "C:\\Windows" } = process.env;
      const others = Object.entries(process.env).filter(([name]) => !/^path$/i.test(name));
      const env = {
        ...Object.fromEntries(others),
        PATH: [...path, join(SystemRoot, "System32")].join(";"),
      };
      const child = spawn(powershell, ["-NoProfile", "-ExecutionPolicy", "Bypass", ...args], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stdout = "";
      let stderr = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      const exitCode = await new Promise<number | null>((resolve, reject) => {
        child.on("error", reject).on("close", resolve);
      });
      return { exitCode, stdout, stderr };
    }

    const onPath = [join(process.execPath, "..")];

    it("passes arguments, output and exit code through, with the Node on PATH", async () => {
      const file = await writeScript();
      const args = [
        "--json",
        "--wait",
        "0",
        "--resource-group",
        "my rg",
        "-client-id",
        "007",
        "-h",
      ];

      const { exitCode, stdout, stderr } = await run(["-File", file, ...args], onPath);

      const echo = JSON.parse(stdout) as Echo;
      expect(echo.args).toEqual(args.map((arg) => (arg === "-client-id" ? "--client-id" : arg)));
      expect(echo.node.toLowerCase()).toBe(process.execPath.toLowerCase());
      expect(echo.umlaut).toBe("ü");
      expect(stderr.trim()).toBe("progress");
      expect(exitCode).toBe(42);
      expect(downloads).toBe(0);
      expect(await readdir(keptIn)).toEqual([]);
    });

    it("needs no arguments", async () => {
      const { stdout } = await run(["-File", await writeScript()], onPath);
      expect((JSON.parse(stdout) as Echo).args).toEqual([]);
    });

    it("keeps out of the way of a caller that stops at errors and keeps all output", async () => {
      const file = await writeScript();
      const command = [
        "$ErrorActionPreference = 'Stop'",
        "$PSNativeCommandUseErrorActionPreference = $true",
        `$all = & '${file}' --json -wait 0 --resource-group 'my rg' 2>&1`,
        "$echo = $all | Where-Object { $_ -is [string] } | ConvertFrom-Json",
        "($echo.args -join '|') + ' ' + [int][char]$echo.umlaut",
        "exit $LASTEXITCODE",
      ].join("\n");

      const { exitCode, stdout } = await run(["-Command", command], onPath);

      expect(stdout.trim()).toBe("--json|--wait|0|--resource-group|my rg 252");
      expect(exitCode).toBe(42);
    });

    it("runs verify itself", async () => {
      const file = await writeScript(await readFile(getBundle().file));
      const result = await run(["-File", file, "--json", "--client-id", "no guid"], onPath);
      expect(parseReport({ ...result, durationMs: 0 })).toMatchObject({ ok: false, exitCode: 2 });
      expect(result.exitCode).toBe(2);
    });

    it("shows its help", async () => {
      const file = await writeScript();
      const { stdout } = await run(["-Command", `& '${file}' -?`], onPath);
      expect(stdout).toMatch(/72 {2}the download has the wrong SHA-256/);
    });

    it("passes over an old Node, downloads one, and keeps it for the next run", async () => {
      // A program of Windows 10 or later, with a version that begins with 10.
      const old = join(folder, "old");
      await mkdir(old);
      const where = join(process.env["SystemRoot"] ?? "C:\\Windows", "System32", "where.exe");
      await copyFile(where, join(old, "node.exe"));
      const file = await writeScript();

      const first = await run(["-File", file, "--json"], [old]);
      const second = await run(["-File", file, "--json"], [old]);

      for (const { exitCode, stdout } of [first, second]) {
        const { node: usedNode } = JSON.parse(stdout) as Echo;
        expect(usedNode.toLowerCase()).toBe(join(keptIn, "node.exe").toLowerCase());
        expect(exitCode).toBe(42);
      }
      expect(first.stderr).toContain(`downloading ${node.url}`);
      expect(second.stderr.trim()).toBe("progress");
      expect(downloads).toBe(1);
      expect(await readdir(keptIn)).toEqual(["node.exe"]);
    });

    it("replaces a Node that was changed after it was kept", async () => {
      await mkdir(keptIn, { recursive: true });
      await writeFile(join(keptIn, "node.exe"), "half a file");
      const { exitCode } = await run(["-File", await writeScript()]);
      expect(exitCode).toBe(42);
      expect(sha256(await readFile(join(keptIn, "node.exe")))).toBe(node.nodeSha256);
    });

    it("runs beside itself: both runs end well and leave one whole Node", async () => {
      const file = await writeScript();
      const runs = await Promise.all([run(["-File", file]), run(["-File", file])]);
      expect(runs.map(({ exitCode }) => exitCode)).toEqual([42, 42]);
      expect(await readdir(keptIn)).toEqual(["node.exe"]);
    });

    it("runs nothing of a download with another SHA-256 and leaves nothing behind", async () => {
      answers = [{ status: 200, body: Buffer.concat([zip, Buffer.from("x")]) }];
      const { exitCode, stdout, stderr } = await run(["-File", await writeScript(), "--json"]);
      expect(stderr).toContain("the download has the wrong SHA-256");
      expect(stdout).toBe("");
      expect(exitCode).toBe(72);
      expect(await readdir(keptIn)).toEqual([]);
    });

    it("says so when Node can't be downloaded, and leaves nothing behind", async () => {
      answers = [{ status: 404, body: Buffer.alloc(0) }];
      const { exitCode, stdout, stderr } = await run(["-File", await writeScript(), "--json"]);
      expect(stderr).toContain("404");
      expect(stdout).toBe("");
      expect(exitCode).toBe(71);
      expect(await readdir(keptIn)).toEqual([]);
    });
  },
);
