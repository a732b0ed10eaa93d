import { runCommand } from "./child-process";
import type { CliSource } from "./cache";
import { withProgress } from "./progress";

/**
 * Limit for the whole download of about 100 MB, in milliseconds. A site that can't be reached fails much sooner: a name
 * that doesn't resolve at once, a connection that isn't answered after fetch's own 10 s.
 */
const DOWNLOAD_TIMEOUT_MS = 300_000;

/** `PulumiCommand.install` can't be stopped, so it runs in a process that can. Arguments: folder, version. */
const INSTALL_SCRIPT = `
  const { PulumiCommand } = require("@pulumi/pulumi/automation");
  const { SemVer } = require("semver");
  const [root, version] = process.argv.slice(1);
  PulumiCommand.install({ root, version: new SemVer(version), skipVersionCheck: true }).catch((error) => {
    console.error(error.message.trim());
    process.exitCode = 1;
  });
`;

/**
 * The official download, with language hosts: the Automation API's `PulumiCommand.install`, which runs Pulumi's install
 * script. Its temporary files stay inside the folder it fills.
 *
 * https://www.pulumi.com/docs/reference/pkg/nodejs/pulumi/pulumi/automation/classes/PulumiCommand.html
 */
export const officialDownload: CliSource = {
  name: "official download",
  fill: async (root, { version, env, log, signal }) => {
    log(`Downloading the Pulumi CLI ${version}`);
    await withProgress(
      log,
      () => "Still downloading",
      () =>
        runCommand(process.execPath, ["--eval", INSTALL_SCRIPT, root, version], {
          cwd: __dirname,
          env: {
            ...env,
            // Node's fetch minds the proxy variables only when told to; curl, which fetches the archive, always does.
            NODE_USE_ENV_PROXY: "1",
            TMPDIR: root,
            TEMP: root,
            TMP: root,
          },
          timeoutMs: DOWNLOAD_TIMEOUT_MS,
          signal,
        }),
    );
  },
};
