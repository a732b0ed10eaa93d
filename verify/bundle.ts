import { build, type BuildOptions, type Plugin } from "esbuild";
import { join } from "node:path";

/** Puts something smaller in a module's place: what the code that imports it needs of it while verify runs. */
interface Replacement {
  /** Matches the import path. */
  filter: RegExp;
  /** The JavaScript to put there; what it imports itself is not replaced again. */
  contents: string;
}

/** What verify never reaches: most of axios, and slow to load or to look through. */
const REPLACEMENTS: readonly Replacement[] = [
  // Of axios itself, only the http adapter and the errors: no interceptors, defaults, transformations, other adapters.
  {
    filter: /^axios$/,
    contents: `
      import http from "axios/lib/adapters/http.js";
      export { default as AxiosError } from "axios/unsafe/core/AxiosError.js";
      export default { get: (url, config) => http({ ...config, url, method: "get" }) };`,
  },
  // Loaded only behind a proxy.
  {
    filter: /^https-proxy-agent$/,
    contents: `export default function (options) { return require("https-proxy-agent")(options); }`,
  },
  // Logs of the proxy agent: with DEBUG set they would show the proxy's password.
  { filter: /^debug$/, contents: "module.exports = () => () => {}" },
  // verify posts no forms; brings the MIME database along.
  { filter: /^form-data$/, contents: "module.exports = undefined" },
  // verify follows no redirects (maxRedirects 0), and axios then uses Node's own client.
  { filter: /^follow-redirects$/, contents: "module.exports = {}" },
  // verify speaks HTTP/1.1.
  { filter: /^http2$/, contents: "module.exports = {}" },
  { filter: /\/Http2Sessions\.js$/, contents: "export default class {}" },
  // verify asks for answers that are not compressed.
  { filter: /^zlib$/, contents: "export default { constants: {} }" },
  // For forms and HTTP/2. esbuild copies all of its properties, and for some of them Node loads worker threads and more.
  { filter: /^util$/, contents: "export default {}" },
  // For bodies to send, the progress of transfers, and data: URLs.
  {
    filter: /\/(formDataToStream|AxiosTransformStream|ZlibHeaderTransformStream|fromDataURI)\.js$/,
    contents: "export default undefined",
  },
  {
    filter: /\/estimateDataURLDecodedBytes\.js$/,
    contents: "export const estimateDataURLBufferAllocation = undefined",
  },
];

/** The settings by which verify is bundled: one CommonJS file for Node 22 and later. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  platform: "node",
  target: "node22",
  format: "cjs",
  minify: true,
  legalComments: "external",
  logLevel: "warning",
} as const satisfies BuildOptions;

/**
 * Bundles verify into one file, which needs nothing beside it.
 * @param outfile where to write it; folders are made
 * @throws esbuild's BuildFailure; an Error when there is nothing to replace any more, as after an update of axios
 */
export async function buildBundle(outfile: string): Promise<void> {
  const replaced = new Set<Replacement>();
  await build({
    ...BUNDLE_OPTIONS,
    entryPoints: [join(__dirname, "main.ts")],
    outfile,
    // axios looks through all of Node's flags to find out whether Node follows proxy variables: direct-transport.ts, which
    // is not told by axios what agent to use, needs no such answer.
    define: { "process.allowedNodeEnvironmentFlags": "undefined" },
    // axios looks at this global while it loads, and Node then loads its whole fetch implementation.
    banner: { js: "delete globalThis.FormData;" },
    plugins: [createReplacePlugin((replacement) => replaced.add(replacement)), importBuiltins],
  });
  const idle = REPLACEMENTS.filter((replacement) => !replaced.has(replacement));
  if (idle.length > 0) {
    const filters = idle.map(({ filter }) => filter.source).join(", ");
    throw new Error(`Nothing imports ${filters}: look at the bundle's replacements again.`);
  }
}

function createReplacePlugin(onReplace: (replacement: Replacement) => void): Plugin {
  return {
    name: "replace",
    setup(context) {
      REPLACEMENTS.forEach((replacement, index) => {
        const { filter, contents } = replacement;
        const namespace = `replacement-${index}`;
        context.onResolve({ filter }, ({ path, namespace: importer }) => {
          if (importer.startsWith("replacement-")) return undefined;
          onReplace(replacement);
          return { path, namespace };
        });
        context.onLoad({ filter: /.*/, namespace }, () => ({ contents, resolveDir: __dirname }));
      });
    },
  };
}

/**
 * For a default import of a CommonJS module, esbuild copies all of the module's properties, and Node loads much of itself
 * for that. Node's own modules, as axios imports them, need no copy.
 */
const importBuiltins: Plugin = {
  name: "import-builtins",
  setup(context) {
    const namespace = "builtin";
    const filter = /^(http|https|stream|url|crypto|path|events)$/;
    context.onResolve({ filter }, ({ path, kind, importer }) =>
      kind === "import-statement" && /[\\/]axios[\\/]/.test(importer)
        ? { path, namespace }
        : undefined,
    );
    context.onLoad({ filter: /.*/, namespace }, ({ path }) => ({
      contents: `
        const builtin = require("node:${path}");
        export default builtin;
        export const { resolve, EventEmitter, domainToASCII, Readable } = builtin;`,
      resolveDir: __dirname,
    }));
  },
};
