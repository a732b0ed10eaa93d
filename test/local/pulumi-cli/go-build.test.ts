import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { PULUMI_VERSION, PulumiCliError } from "../../../local/pulumi-cli";
import { CommandError } from "../../../local/pulumi-cli/child-process";
import { goBuild } from "../../../local/pulumi-cli/go-build";
import packageJson from "../../../package.json";
import { makeFolder, NO_SHELL_SCRIPTS, writeScript } from "./fixtures";

const MODULE_FOLDER = join(__dirname, "../../../local/pulumi-cli/go");

/** Stands in for Go: notes how it is called, and "compiles" a script to where it is told. */
const FAKE_GO = `
echo "$PWD | GOWORK=$GOWORK GOSUMDB=$GOSUMDB GOFLAGS=$GOFLAGS | $*" >> "$CALLS"
case "$1" in
list) echo "go: downloading example.org/a v1.0.0" >&2; echo a; echo b ;;
build)
  echo a >&2
  while [ "$1" != -o ]; do shift; done
  mkdir -p "$(dirname "$2")"; echo built > "$2" ;;
esac`;

function prepare(go?: string) {
  const folder = makeFolder();
  const root = join(folder, "root");
  const calls = join(folder, "calls");
  const bin = join(folder, "bin");
  if (go !== undefined) writeScript(join(bin, "go"), go);
  // The fakes need the shell's tools, and no Go that the machine may have.
  writeScript(join(bin, "mkdir"), 'exec /bin/mkdir "$@"');
  writeScript(join(bin, "dirname"), 'exec /usr/bin/dirname "$@"');
  const lines: string[] = [];
  const context = {
    version: PULUMI_VERSION,
    env: { PATH: bin, CALLS: calls, HOME: folder },
    log: (line: string) => lines.push(line),
  };
  return { root, context, lines, readCalls: () => readFileSync(calls, "utf8").trim().split("\n") };
}

test("go.mod, package.json and the installed SDK name the same version", () => {
  const goMod = readFileSync(join(MODULE_FOLDER, "go.mod"), "utf8");
  const pinned = Array.from(
    goMod.matchAll(/github\.com\/pulumi\/pulumi\/(pkg|sdk)\/v3 v(\S+)/g),
    ([, module, version]) => `${module ?? ""} ${version ?? ""}`,
  );

  expect(pinned).toEqual([`pkg ${PULUMI_VERSION}`, `sdk ${PULUMI_VERSION}`]);
  expect(packageJson.dependencies["@pulumi/pulumi"]).toBe(PULUMI_VERSION);
});

describe.skipIf(NO_SHELL_SCRIPTS)("goBuild", () => {
  test("builds the pinned modules, read-only and with checksums", async () => {
    const { root, context, lines, readCalls } = prepare(FAKE_GO);

    await goBuild.fill(root, context);

    expect(readFileSync(join(root, "bin", "pulumi"), "utf8")).toBe("built\n");
    const cli = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
    const version = `github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${PULUMI_VERSION}`;
    const where = `${MODULE_FOLDER} | GOWORK=off GOSUMDB= GOFLAGS=`;
    expect(readCalls()).toEqual([
      `${where} | list -mod=readonly -deps ${cli}`,
      `${where} | build -v -mod=readonly -ldflags -s -w -X ${version} -o ${join(root, "bin", "pulumi")} ${cli}`,
    ]);
    expect(lines[0]).toContain(`Building the Pulumi CLI ${PULUMI_VERSION} with Go`);
  });

  test("fails with what Go said", async () => {
    const { root, context } = prepare('echo "verifying a@v1: checksum mismatch" >&2; exit 1');

    const error = await goBuild.fill(root, context).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(CommandError);
    expect((error as Error).message).toContain("checksum mismatch");
  });

  test("asks for Go where there is none", async () => {
    const { root, context } = prepare();

    const error = await goBuild.fill(root, context).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(PulumiCliError);
    expect((error as PulumiCliError).message).toContain("no `go` on PATH");
    expect((error as PulumiCliError).hint).toContain("https://go.dev/dl/");
  });

  test("refuses to pass the pinned modules off as another version", async () => {
    const { root, context, readCalls } = prepare(FAKE_GO);

    const fill = goBuild.fill(root, { ...context, version: "3.1.0" });

    await expect(fill).rejects.toThrow(`pins version ${PULUMI_VERSION}, not 3.1.0`);
    expect(readCalls).toThrow("ENOENT");
  });
});
