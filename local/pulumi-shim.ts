import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { Session } from "./session";

/** The CLI's commands that read or write a stack's settings, and so take --config-file. */
const COMMANDS_WITH_SETTINGS = [
  "config",
  "destroy",
  "down",
  "import",
  "pre",
  "preview",
  "refresh",
  "up",
  "update",
  "watch",
];

/**
 * Makes a `pulumi` that keeps the dev stack's settings in the session instead of in `Pulumi.dev.yaml`:
 * the CLI that the session uses, with --config-file added where a command takes it.
 *
 * @returns the folder that holds it, for the front of PATH
 */
export async function createPulumiShim({ pulumi, devStack, folder }: Session): Promise<string> {
  const shimFolder = path.join(folder, "bin");
  await mkdir(shimFolder);
  await (process.platform === "win32"
    ? writeFile(
        path.join(shimFolder, "pulumi.cmd"),
        [
          "@echo off",
          `for %%c in (${COMMANDS_WITH_SETTINGS.join(" ")}) do if "%~1"=="%%c" goto settings`,
          `"${pulumi.command}" %*`,
          "exit /b %errorlevel%",
          ":settings",
          `"${pulumi.command}" %* --config-file "${devStack.configFile}"`,
          "exit /b %errorlevel%",
          "",
        ].join("\r\n"),
      )
    : writeFile(
        path.join(shimFolder, "pulumi"),
        [
          "#!/bin/sh",
          `case "$1" in ${COMMANDS_WITH_SETTINGS.join("|")})`,
          `  set -- "$@" --config-file "${devStack.configFile}" ;;`,
          "esac",
          `exec "${pulumi.command}" "$@"`,
          "",
        ].join("\n"),
        { mode: 0o755 },
      ));
  return shimFolder;
}
