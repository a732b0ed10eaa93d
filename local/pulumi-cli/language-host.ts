import { Server, type ServerUnaryCall, status } from "@grpc/grpc-js";
import {
  type ILanguageRuntimeServer,
  LanguageRuntimeService,
} from "@pulumi/pulumi/proto/language_grpc_pb";
import {
  GetRequiredPackagesResponse,
  LanguageHandshakeResponse,
} from "@pulumi/pulumi/proto/language_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { version as sdkVersion } from "@pulumi/pulumi/version";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

import { listenOnFreePort } from "../grpc-server";
import type { Environment } from "./executable";
import { runProgram } from "./program-runner";

/** What {@link startLanguageHost} takes. */
export interface LanguageHostSettings {
  /** The Node executable that runs the programs. */
  nodePath: string;
  /** Environment of the programs; give the same to the CLI. */
  env: Environment;
  /** Folder the programs are started from. Each then changes to its own, as the CLI asks. */
  cwd: string;
}

/** A language host that listens. */
export interface LanguageHost {
  /** Port on 127.0.0.1. Start the CLI with `PULUMI_DEBUG_LANGUAGES=nodejs:<port>`. */
  port: number;
  /** Stops listening and ends the programs that still run. */
  close: () => Promise<void>;
}

/**
 * Starts a language host for Node programs, for a CLI that has none beside it. It answers what `pulumi preview`, `up`,
 * `refresh` and `destroy` need; any other call of the protocol gets UNIMPLEMENTED. Several CLIs may use it at once.
 *
 * Protocol: `proto/pulumi/language.proto` of pulumi/pulumi. It starts programs as the official host does:
 * `sdk/nodejs/cmd/pulumi-language-nodejs/main.go` there.
 */
export async function startLanguageHost(settings: LanguageHostSettings): Promise<LanguageHost> {
  // Each CLI attaches on connections of its own, and opens more than one engine: a call belongs to the engine that shook
  // hands on the same connection.
  const engineAddresses = new Map<string, string>();
  const runs = new Set<{ peer: string; abort: AbortController; ended: Promise<unknown> }>();

  function abortRuns(peer: string): void {
    for (const run of runs) if (run.peer === peer) run.abort.abort();
  }

  const server = new Server();
  server.addService(LanguageRuntimeService, {
    handshake: (call, callback) => {
      engineAddresses.set(call.getPeer(), call.request.getEngineAddress());
      callback(null, new LanguageHandshakeResponse());
    },
    getPluginInfo: (_call, callback) => {
      callback(null, new PluginInfo().setVersion(sdkVersion));
    },
    // The engine downloads what is named here before it runs the program, even a provider that it is told to attach to. With
    // nothing named it loads each provider when the program first uses it.
    getRequiredPackages: (_call, callback) => {
      callback(null, new GetRequiredPackagesResponse());
    },
    run: (call, callback) => {
      const peer = call.getPeer();
      const engineAddress = engineAddresses.get(peer);
      if (engineAddress === undefined) {
        callback({ code: status.FAILED_PRECONDITION, details: "Run came before Handshake" });
        return;
      }
      const abort = new AbortController();
      onCancelled(call, () => {
        abort.abort();
      });
      const ended = runProgram(call.request, {
        ...settings,
        engineAddress,
        signal: abort.signal,
      }).then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          callback(error instanceof Error ? error : new Error(String(error)));
        },
      );
      const run = { peer, abort, ended };
      runs.add(run);
      void ended.finally(() => runs.delete(run));
    },
    cancel: (call, callback) => {
      abortRuns(call.getPeer());
      callback(null, new Empty());
    },
  } satisfies Partial<ILanguageRuntimeServer>);

  const port = await listenOnFreePort(server);
  return {
    port,
    close: async () => {
      for (const run of runs) run.abort.abort();
      await Promise.all(Array.from(runs, (run) => run.ended));
      server.forceShutdown();
    },
  };
}

/** Calls `handle` when the engine gives up a call or its connection is lost, as when the CLI is killed. */
function onCancelled(call: ServerUnaryCall<unknown, unknown>, handle: () => void): void {
  call.on("cancelled", handle);
}
