import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { CliSource } from "./cache";
import { runCommand } from "./child-process";
import { PulumiCliError } from "./error";
import { EXECUTABLE_SUFFIX, findExecutable } from "./executable";
import { withProgress } from "./progress";

/** The folder with the committed `go.mod` and `go.sum`. */
const MODULE_FOLDER = join(__dirname, "go");

const CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** Limit for each of the two steps, in milliseconds: a cold build takes minutes on two cores, and some machines are slow. */
const STEP_TIMEOUT_MS = 1_800_000;

/**
 * The CLI built from Pulumi's own Go modules, at the versions of `go/go.mod` and with the checksums of `go/go.sum`. What
 * comes out has no language hosts: see `language-host.ts`.
 */
export const goBuild: CliSource = {
  name: "build with Go",
  fill: async (root, { version, env, log, signal }) => {
    const pinned = await readPinnedVersion();
    if (pinned !== version) {
      throw new PulumiCliError(
        `local/pulumi-cli/go/go.mod pins version ${pinned}, not ${version}`,
        "Give go.mod and @pulumi/pulumi in package.json the same version.",
      );
    }
    const go = await findExecutable("go", env);
    if (go === undefined) {
      throw new PulumiCliError(
        "there is no `go` on PATH",
        "Install Go from https://go.dev/dl/ and try again.",
      );
    }
    const settings = {
      cwd: MODULE_FOLDER,
      // A go.work file in a folder above would replace the pinned modules.
      env: { ...env, GOWORK: "off", GOTMPDIR: root },
      timeoutMs: STEP_TIMEOUT_MS,
      signal,
    };

    let modules = 0;
    log(`Building the Pulumi CLI ${version} with Go: a few minutes the first time`);
    const listing = await withProgress(
      log,
      () => `Fetching Go modules: ${modules} so far`,
      () =>
        runCommand(go, ["list", "-mod=readonly", "-deps", CLI_PACKAGE], {
          ...settings,
          onErrorLine: (line) => {
            if (line.startsWith("go: downloading ")) modules += 1;
          },
        }),
    );
    const total = listing.split("\n").length;

    // With -v, go names each package that it compiles. Those in its build cache are not named, nor counted.
    let compiled = 0;
    await withProgress(
      log,
      () => `Compiling: ${compiled} of at most ${total} packages`,
      () =>
        runCommand(
          go,
          [
            "build",
            "-v",
            "-mod=readonly",
            "-ldflags",
            `-s -w -X ${VERSION_VARIABLE}=v${version}`,
            "-o",
            join(root, "bin", `pulumi${EXECUTABLE_SUFFIX}`),
            CLI_PACKAGE,
          ],
          {
            ...settings,
            onErrorLine: () => {
              compiled += 1;
            },
          },
        ),
    );
  },
};

/** The version of the CLI that `go/go.mod` pins, as in `3.259.0`. */
async function readPinnedVersion(): Promise<string> {
  const text = await readFile(join(MODULE_FOLDER, "go.mod"), "utf8");
  return /^\s*github\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/m.exec(text)?.[1] ?? "none";
}
