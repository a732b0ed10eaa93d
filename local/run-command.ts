import type { SpawnOptions } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import * as path from "node:path";
import { rootCertificates } from "node:tls";
import spawn from "cross-spawn";
import { REPOSITORY } from "./program";
import { hasNodeLanguageHost, startLanguageHost } from "./pulumi-cli";
import { createPulumiShim } from "./pulumi-shim";
import { type Session, startSession } from "./session";

/** What {@link runCommand} needs. */
export interface RunCommandOptions {
  /** The command's environment, to which the way to the local Azure is added. */
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line of progress. */
  readonly log: (line: string) => void;
  /** Ends the start of the local Azure, and then the command. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command that has the terminal for itself, an Azure on this machine, and the environment to
 * reach it: `pulumi` works on the dev stack there, and curl, Node and Python trust its certificate.
 *
 * @returns the command's exit code, as a shell tells it
 * @throws {PulumiCliError} when there is no Pulumi CLI and none can be got
 */
export async function runCommand(
  [name, ...args]: readonly [string, ...string[]],
  options: RunCommandOptions,
): Promise<number> {
  const session = await startSession(options);
  const pulumiEnv: Record<string, string> = { ...session.pulumiEnv };
  let closeLanguageHost: (() => Promise<void>) | undefined;
  try {
    if (!(await hasNodeLanguageHost(session.pulumi, options.env))) {
      const host = await startLanguageHost({
        nodePath: process.execPath,
        env: options.env,
        cwd: REPOSITORY,
      });
      closeLanguageHost = host.close;
      pulumiEnv.PULUMI_DEBUG_LANGUAGES = `nodejs:${host.port}`;
    }
    const shimFolder = await createPulumiShim(session);
    const { token } = await session.azure.getDeployerToken();
    const trustBundle = await createTrustBundle(session, options.env);
    return await runInTerminal(name, args, {
      log: options.log,
      signal: options.signal,
      killSignal: "SIGTERM",
      env: {
        ...prependToSearchPath(options.env, shimFolder),
        ...pulumiEnv,
        AZURE_RESOURCE_MANAGER_ENDPOINT: session.azure.armEndpoint,
        AZURE_SUBSCRIPTION_ID: session.azure.subscriptionId,
        AZURE_TENANT_ID: session.azure.tenantId,
        ARM_TOKEN: token,
        NODE_EXTRA_CA_CERTS: trustBundle,
        CURL_CA_BUNDLE: trustBundle,
        REQUESTS_CA_BUNDLE: trustBundle,
        SSL_CERT_FILE: trustBundle,
      },
    });
  } finally {
    await closeLanguageHost?.();
    await session.close();
  }
}

/** Puts a folder first on the search path, which Windows may spell otherwise, as in `Path`. */
function prependToSearchPath(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  const name = Object.keys(env).find((key) => key.toUpperCase() === "PATH") ?? "PATH";
  return { ...env, [name]: [folder, env[name]].join(path.delimiter) };
}

/** Writes the certificates that a command is to trust: the local Resource Manager's, and all that it trusted before. */
async function createTrustBundle(session: Session, env: NodeJS.ProcessEnv): Promise<string> {
  const own = env.SSL_CERT_FILE ?? env.NODE_EXTRA_CA_CERTS;
  const trusted = own === undefined ? "" : await readFile(own, "utf8");
  const bundle = path.join(session.folder, "trusted-certificates.pem");
  await writeFile(bundle, [session.azure.caCertificate, trusted, ...rootCertificates].join("\n"));
  return bundle;
}

/** The exit code that shells give for a command that isn't there. */
const COMMAND_NOT_FOUND = 127;

async function runInTerminal(
  name: string,
  args: string[],
  { log, ...options }: SpawnOptions & Pick<RunCommandOptions, "log">,
): Promise<number> {
  const child = spawn(name, args, { ...options, stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") {
        log(`${name}: command not found`);
        resolve(COMMAND_NOT_FOUND);
      } else if (error.name !== "AbortError") {
        // An aborted command ends by its signal, which is told below.
        reject(error);
      }
    });
    child.on("close", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
