import { readFile, symlink } from "node:fs/promises";
import * as path from "node:path";
import { gzipSync } from "node:zlib";
import { REPOSITORY } from "../../local/program";
import { runCommand } from "../../local/pulumi-cli/child-process";
import { EXECUTABLE_SUFFIX } from "../../local/pulumi-cli/executable";
import { buildBundle } from "../../verify/bundle";
import { bundleForNode } from "../node-bundle";

/** What stands beside verify in the benchmark, and verify. */
export type PeerName =
  "empty" | "dependency-free" | "verify" | "axios" | "azure-sdk" | "azure-sdk-unbundled" | "go-sdk";

/** Where peers are built. */
export interface BuildPlace {
  /** Takes the programs. */
  readonly folder: string;
  /** To find Go with. */
  readonly env: NodeJS.ProcessEnv;
  /** Ends a build early. */
  readonly signal: AbortSignal;
}

/** A program that does what verify does. */
export interface Peer {
  readonly name: PeerName;
  /** For the table. */
  readonly title: string;
  /** How many of the requests it makes, of those that verify has for the local Azure, in their order. */
  readonly requestCount: number;
  /** Makes its program, and returns the program's file. */
  readonly build: (place: BuildPlace) => Promise<string>;
  /** Whether the program's file is all there is to bring to a VM, so that its size tells something. */
  readonly isOneFile: boolean;
  /** Whether Node runs it; else it runs by itself. */
  readonly isForNode: boolean;
}

/** A peer that is ready to run. */
export interface BuiltPeer extends Peer {
  readonly file: string;
  /** Of the program's file; undefined where that tells nothing. */
  readonly sizes: { readonly bytes: number; readonly gzippedBytes: number } | undefined;
}

const SOURCES = path.join(__dirname, "peers");

/** The token, the resource group, and the permissions on it. */
const ALL_REQUESTS = 3;

/** Fetching the modules and compiling takes seconds, on a slow machine minutes. */
const GO_TIMEOUT_MS = 600_000;

const IN_NODE = { isOneFile: true, isForNode: true } as const;

/** All peers, in the order of the table. */
export const PEERS: readonly Peer[] = [
  {
    ...IN_NODE,
    name: "empty",
    title: "empty Node process",
    requestCount: 0,
    build: ({ folder }) => bundleSource("empty", folder),
  },
  {
    ...IN_NODE,
    name: "dependency-free",
    title: "dependency-free script",
    requestCount: ALL_REQUESTS,
    build: ({ folder }) => bundleSource("dependency-free", folder),
  },
  {
    ...IN_NODE,
    name: "verify",
    title: "verify",
    requestCount: ALL_REQUESTS,
    build: async ({ folder }) => {
      const outfile = path.join(folder, "verify.js");
      await buildBundle(outfile);
      return outfile;
    },
  },
  {
    ...IN_NODE,
    name: "axios",
    title: "axios, bundled",
    requestCount: ALL_REQUESTS,
    build: ({ folder }) => bundleSource("axios", folder),
  },
  {
    ...IN_NODE,
    name: "azure-sdk",
    title: "Azure SDK, bundled",
    requestCount: ALL_REQUESTS,
    build: ({ folder }) => bundleSource("azure-sdk", folder),
  },
  {
    ...IN_NODE,
    name: "azure-sdk-unbundled",
    title: "Azure SDK, unbundled",
    requestCount: ALL_REQUESTS,
    isOneFile: false,
    build: buildUnbundledSdk,
  },
];

/** Besides {@link PEERS}; it needs Go ≥ 1.25, and takes up to a minute to build. */
export const GO_PEER: Peer = {
  name: "go-sdk",
  title: "Go SDK, compiled",
  requestCount: ALL_REQUESTS,
  build: buildGoSdk,
  isOneFile: true,
  isForNode: false,
};

/**
 * Builds a peer.
 *
 * @throws esbuild's BuildFailure, or CommandError when Go fails or isn't there
 */
export async function buildPeer(peer: Peer, place: BuildPlace): Promise<BuiltPeer> {
  place.signal.throwIfAborted();
  const file = await peer.build(place);
  if (!peer.isOneFile) return { ...peer, file, sizes: undefined };
  const content = await readFile(file);
  const sizes = { bytes: content.length, gzippedBytes: gzipSync(content).length };
  return { ...peer, file, sizes };
}

function bundleSource(name: string, folder: string): Promise<string> {
  return bundleForNode(path.join(SOURCES, `${name}.ts`), path.join(folder, `${name}.js`));
}

async function buildUnbundledSdk({ folder }: BuildPlace): Promise<string> {
  // Node looks for the packages beside the program. A junction needs no special rights on Windows.
  const packages = path.join(REPOSITORY, "node_modules");
  await symlink(packages, path.join(folder, "node_modules"), "junction");
  const outfile = path.join(folder, "azure-sdk-unbundled.js");
  return bundleForNode(path.join(SOURCES, "azure-sdk.ts"), outfile, { packages: "external" });
}

async function buildGoSdk({ folder, env, signal }: BuildPlace): Promise<string> {
  const outfile = path.join(folder, `go-sdk${EXECUTABLE_SUFFIX}`);
  await runCommand(
    "go",
    ["build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w", "-o", outfile],
    {
      cwd: path.join(SOURCES, "go"),
      env: { ...env, GOWORK: "off" },
      timeoutMs: GO_TIMEOUT_MS,
      signal,
    },
  );
  return outfile;
}
