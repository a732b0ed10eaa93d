import { OPTIONS } from "./config";
import { FAILURES } from "./errors";

/** The text of `--help`: arguments, environment variables, exit codes. Ends with a line break. */
export function formatHelp(): string {
  const options = OPTIONS.map(({ name, placeholder, help, variable, fallback }) => {
    const notes = [variable, fallback && `default ${fallback}`].filter(Boolean).join("; ");
    return toRow(`--${name} ${placeholder}`, `${help}${notes && ` [${notes}]`}`);
  });
  const failures = Object.entries(FAILURES).map(([code, { exitCode, meaning }]) =>
    toRow(`${String(exitCode).padStart(3)} ${code}`, meaning),
  );
  return [
    "Checks on an Azure VM that a managed identity works: gets a token of the identity from the",
    "metadata service (IMDS) and reads a resource group from Azure Resource Manager (ARM) with it.",
    "",
    "Usage: node verify.js [options]",
    "",
    "Options [environment variable used instead; default]:",
    ...options,
    toRow("--json", "print one JSON object, also on failure"),
    toRow("-h, --help", "print this text"),
    "",
    "Proxies: IMDS is always asked directly; ARM through HTTPS_PROXY, unless NO_PROXY names it.",
    "",
    "Exit codes, and error.code of the JSON object:",
    toRow("  0", "every step passed"),
    ...failures,
    "",
  ].join("\n");
}

function toRow(left: string, right: string): string {
  return `  ${left.padEnd(28)}  ${right}`;
}
