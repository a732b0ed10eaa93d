import { FAILURES } from "./errors";
import { FLAGS, OPTIONS, type Option } from "./options";

/** The text of `--help`: arguments, environment variables, exit codes. Ends with a line break. */
export function formatHelp(): string {
  const options = Object.values<Option>(OPTIONS).map(
    ({ name, placeholder, help, variable, fallback }) => {
      const notes = [variable, `default: ${fallback}`].filter(Boolean).join("; ");
      return toRow(`--${name} ${placeholder}`, `${help} [${notes}]`);
    },
  );
  const flags = Object.entries(FLAGS).map(([name, help]) => toRow(`--${name}`, help));
  const failures = Object.entries(FAILURES).map(([code, { exitCode, meaning }]) =>
    toRow(`${String(exitCode).padStart(3)} ${code}`, meaning),
  );
  return [
    "Checks on an Azure VM that a managed identity works: gets a token of the identity from the",
    "metadata service (IMDS), reads a resource group from Azure Resource Manager (ARM) with it, and",
    "looks whether the identity is Reader there and nothing more. Says which link is broken if one is.",
    "",
    "Usage: node verify.js [options]     on a VM of this stack it needs none",
    "",
    "Options [environment variable used instead; default]:",
    ...options,
    ...flags,
    toRow("-h, --help", "print this text"),
    "",
    "Proxies: IMDS is always asked directly; ARM through HTTPS_PROXY, unless NO_PROXY names it.",
    "Ctrl-C ends the waiting and reports what is known by then.",
    "",
    "Exit codes, and error.code of the JSON object:",
    toRow("  0", "every step passed, warnings allowed"),
    ...failures,
    "",
  ].join("\n");
}

function toRow(left: string, right: string): string {
  return `  ${left.padEnd(28)}  ${right}`;
}
