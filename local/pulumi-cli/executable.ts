import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** An environment as Node's `child_process` takes it. */
export type Environment = Record<string, string | undefined>;

/** What an executable's file name ends with on this system. */
export const EXECUTABLE_SUFFIX = process.platform === "win32" ? ".exe" : "";

/**
 * The search path of an environment. On Windows the variable is spelled `Path`, and a copy of `process.env` is no
 * longer case-insensitive, so any spelling is taken there.
 */
export function getSearchPath(env: Environment): string {
  if (process.platform !== "win32") return env.PATH ?? "";
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH");
  return (name === undefined ? undefined : env[name]) ?? "";
}

/** True when `path` is a file that this user may run. */
export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/**
 * Absolute path of the first executable called `name` in the folders of the environment's `PATH`, undefined when there is
 * none. On Windows only `.exe` files are looked for.
 */
export async function findExecutable(name: string, env: Environment): Promise<string | undefined> {
  // An empty entry means the working directory to a shell; running whatever lies there is never wanted here.
  for (const folder of getSearchPath(env).split(delimiter).filter(Boolean)) {
    const path = join(folder, name + EXECUTABLE_SUFFIX);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}
