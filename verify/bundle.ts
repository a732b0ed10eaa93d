import { build, type Plugin } from "esbuild";
import { join } from "node:path";

/** Reduces a module to what the code that imports it needs of it while verify runs. */
interface LeftOut {
  /** Matches the import path. */
  filter: RegExp;
  /** The JavaScript to put in its place. */
  contents: string;
}

/** Parts of axios that verify never reaches; they are more than half of it, and slow to load. */
const LEFT_OUT: readonly LeftOut[] = [
  // verify posts no forms; brings the MIME database along.
  { filter: /^form-data$/, contents: "module.exports = undefined" },
  { filter: /\/(toFormData|formDataToJSON|formDataToStream|readBlob)\.js$/, contents: "" },
  // verify follows no redirects (maxRedirects 0), and axios then uses Node's own client.
  { filter: /^follow-redirects$/, contents: "module.exports = {}" },
  // Logs of the proxy agent: with DEBUG set they would show the proxy's password.
  { filter: /^debug$/, contents: "module.exports = () => () => {}" },
  // The adapters for browsers and fetch, and HTTP/2: verify uses the http adapter, HTTP/1.1.
  { filter: /^\.\/(fetch|xhr)\.js$/, contents: "module.exports = {}" },
  { filter: /^http2$/, contents: "module.exports = {}" },
  { filter: /\/Http2Sessions\.js$/, contents: "module.exports = class {}" },
  // data: URLs, compressed bodies, and progress of uploads and downloads.
  {
    filter: /\/(fromDataURI|estimateDataURLDecodedBytes|ZlibHeaderTransformStream)\.js$/,
    contents: "module.exports = {}",
  },
  {
    filter: /\/(AxiosTransformStream|progressEventReducer)\.js$/,
    contents: "module.exports = {}",
  },
  // Names of status codes.
  { filter: /\/HttpStatusCode\.js$/, contents: "module.exports = {}" },
];

const leaveOut: Plugin = {
  name: "leave-out",
  setup(context) {
    LEFT_OUT.forEach(({ filter, contents }, index) => {
      const namespace = `left-out-${index}`;
      context.onResolve({ filter }, ({ path }) => ({ path, namespace }));
      context.onLoad({ filter: /.*/, namespace }, () => ({ contents }));
    });
  },
};

/**
 * Bundles verify into one CommonJS file for Node 22 and later, which needs nothing beside it.
 * @param outfile where to write it; folders are made
 * @throws esbuild's BuildFailure
 */
export async function buildBundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(__dirname, "main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    minify: true,
    legalComments: "external",
    // axios looks at this global while it loads, and Node then loads its whole fetch implementation.
    banner: { js: "delete globalThis.FormData;" },
    plugins: [leaveOut],
    logLevel: "warning",
  });
}
