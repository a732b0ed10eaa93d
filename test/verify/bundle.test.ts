import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createSubject } from "./azure-answers";
import { startAzure } from "./fake-azure";
import { useBundle } from "./runs";

const getBundle = useBundle();

describe("the bundle", () => {
  it("is at most 120 KB, 45 KB gzipped", async () => {
    const content = await readFile(getBundle().file);
    expect(content.length).toBeLessThanOrEqual(120_000);
    expect(gzipSync(content).length).toBeLessThanOrEqual(45_000);
  });

  it("needs nothing beside it but Node's own modules", async () => {
    const content = await readFile(getBundle().file, "utf8");
    const required = [...content.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name]) => name);
    expect(required.length).toBeGreaterThan(0);
    const { isBuiltin } = await import("node:module");
    expect(required.filter((name) => !isBuiltin(name ?? ""))).toEqual([]);
  });

  it("goes through a whole run without loading Node's fetch or HTTP/2", async () => {
    const bundle = getBundle();
    await using azure = await startAzure(createSubject(), bundle.certificate);
    const listModules = join(dirname(bundle.file), "list-modules.cjs");
    await writeFile(
      listModules,
      `process.on("exit", () => process.stderr.write(process.moduleLoadList.join("\\n")));`,
    );

    const run = await bundle.run(["--json"], {
      ...azure.env,
      NODE_OPTIONS: `--require=${listModules}`,
    });

    expect(run.exitCode).toBe(0);
    expect(run.stderr).toContain("NativeModule https");
    expect(run.stderr).not.toMatch(/undici|http2/);
  });
});
