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
 * Makes a `pulumi` that leaves `Pulumi.dev.yaml` alone and keeps the dev stack's settings in the
 * session: the CLI that the session uses, with --config-file added where a command takes it, and
 * --preserve-config where one would delete the file.
 *
 * @returns the folder that holds it, for the front of PATH
 */
export async function createPulumiShim({ pulumi, devStack, folder }: Session): Promise<string> {
  const shimFolder = path.join(folder, "bin");
  await mkdir(shimFolder);
  const { configFile } = devStack.operationOptions;
  const [name, lines] =
    process.platform === "win32"
      ? ["pulumi.cmd", createBatchScript(pulumi.command, configFile)]
      : ["pulumi", createShellScript(pulumi.command, configFile)];
  await writeFile(path.join(shimFolder, name), lines.join("\n"), { mode: 0o755 });
  return shimFolder;
}

function createShellScript(command: string, configFile: string): string[] {
  return [
    "#!/bin/sh",
    "for argument; do",
    '  case "$argument" in',
    `    ${COMMANDS_WITH_SETTINGS.join("|")}) set -- "$@" --config-file "${configFile}"; break ;;`,
    '    rm) set -- "$@" --preserve-config; break ;;',
    "  esac",
    "done",
    `exec "${command}" "$@"`,
    "",
  ];
}

function createBatchScript(command: string, configFile: string): string[] {
  return [
    "@echo off",
    "set more=",
    "for %%a in (%*) do (",
    `  for %%c in (${COMMANDS_WITH_SETTINGS.join(" ")}) do if "%%~a"=="%%c" goto settings`,
    '  if "%%~a"=="rm" goto remove',
    ")",
    "goto run",
    ":settings",
    `set more=--config-file "${configFile}"`,
    "goto run",
    ":remove",
    "set more=--preserve-config",
    ":run",
    `"${command}" %* %more%`,
    "exit /b %errorlevel%",
    "",
  ];
}
