import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { REPOSITORY } from "../../local/program";

/** A Pulumi program that is measured. */
export interface Program {
  /** For the table. */
  readonly title: string;
  /** Where its files are. */
  readonly source: string;
  /** What of {@link source} makes it up. */
  readonly files: readonly string[];
}

/** A copy of a program, ready to run. */
export interface ProgramFolder {
  readonly title: string;
  readonly path: string;
}

const PROGRAMS = path.join(__dirname, "programs");

/** This repository's program. */
export const STACK: Program = {
  title: "this stack",
  source: REPOSITORY,
  files: ["index.ts", "infra", "Pulumi.yaml"],
};

/** The same resources from a bare loop. */
export const LOOP: Program = {
  title: "bare loop",
  source: path.join(PROGRAMS, "loop"),
  files: ["index.ts", "Pulumi.yaml"],
};

/** Little more than the imports of azure-native that this repository's program has. */
export const MINIMAL: Program = {
  title: "minimal program",
  source: path.join(PROGRAMS, "minimal"),
  files: ["index.ts", "Pulumi.yaml"],
};

/** The name of each program's project, which its settings begin with. */
export const PROJECT_NAME = "azure-managed-identity-windows-vm";

/**
 * Copies a program to where nothing else is, so that each is measured in the same surroundings: the packages and the
 * compiler options of this repository. The settings that are written beside it stay out of the repository, too.
 *
 * @param folder where to put it; it must not exist
 */
export async function copyProgram(program: Program, folder: string): Promise<ProgramFolder> {
  await mkdir(folder);
  for (const file of program.files) {
    await cp(path.join(program.source, file), path.join(folder, file), { recursive: true });
  }
  const { compilerOptions } = JSON.parse(
    await readFile(path.join(REPOSITORY, "tsconfig.json"), "utf8"),
  ) as { compilerOptions: object };
  await writeJson(path.join(folder, "tsconfig.json"), { compilerOptions, include: ["index.ts"] });
  await writeJson(path.join(folder, "package.json"), { main: "index.ts", private: true });
  // A junction needs no special rights on Windows.
  const packages = path.join(REPOSITORY, "node_modules");
  await symlink(packages, path.join(folder, "node_modules"), "junction");
  return { title: program.title, path: folder };
}

/** Writes the settings of a stack, which the CLI then adds its secrets to. */
export async function writeSettings(
  folder: ProgramFolder,
  stackName: string,
  settings: Readonly<Record<string, string | number | object>>,
): Promise<void> {
  const config = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`${PROJECT_NAME}:${name}`, value]),
  );
  await writeJson(path.join(folder.path, `Pulumi.${stackName}.yaml`), { config });
}

/** JSON is YAML too. */
async function writeJson(file: string, value: object): Promise<void> {
  await writeFile(file, JSON.stringify(value, null, 2));
}
