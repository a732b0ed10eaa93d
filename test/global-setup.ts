import { PULUMI_VERSION, getPulumiCommand } from "../local/pulumi-cli";

/** Gets the Pulumi CLI before any test runs, since that may take minutes the first time on a machine. */
export default async function setup(): Promise<void> {
  await getPulumiCommand({ version: PULUMI_VERSION, env: process.env, log: console.log });
}
