import type { OutputMap, UpResult } from "@pulumi/pulumi/automation";
import { type Session, startSession } from "./session";
import { getVmEnvironment, runVerify } from "./vm-process";

/** What {@link tellStory} needs. */
export interface StoryOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Takes each line that a person is to read. */
  readonly print: (line: string) => void;
  /** Whether the lines may hold colours. */
  readonly color: boolean;
  /** Ends the story early; what was started is stopped all the same. */
  readonly signal: AbortSignal;
  /** Waits, with all deployed and verified, until the person has seen enough. */
  readonly pause?: (() => Promise<void>) | undefined;
}

/** Something that the story promises did not hold. */
export class StoryError extends Error {
  override readonly name = "StoryError";
}

/** How long the local Azure takes for what takes Azure minutes. */
const LOCAL_DELAYS = { operationMs: 400, rolePropagationMs: 3000 };

/**
 * Tells the whole tutorial on this machine: deploys the stack, runs verify as its VM would, deploys
 * again, destroys, and looks whether anything is left.
 *
 * @throws {StoryError} when one of these doesn't hold
 * @throws {PulumiCliError} when there is no Pulumi CLI and none can be got
 */
export async function tellStory(options: StoryOptions): Promise<void> {
  const { print, signal } = options;
  const durations: { name: string; seconds: number }[] = [];
  const log = (line: string): void => {
    print(`    ${line}`);
  };
  async function step<T>(name: string, title: string, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    print(`\n${durations.length + 1}. ${title}`);
    const start = performance.now();
    const result = await work();
    durations.push({ name, seconds: (performance.now() - start) / 1000 });
    return result;
  }

  const session = await step("start", "Start an Azure on this machine", async () =>
    startSession({ env: options.env, log, signal, azure: LOCAL_DELAYS }),
  );
  try {
    log(`Resource Manager ${session.azure.armEndpoint}, Pulumi CLI ${session.pulumi.command}`);
    const operation = {
      ...session.devStack.operationOptions,
      color: options.color ? ("always" as const) : ("never" as const),
      suppressProgress: true,
      onOutput: createLineSplitter(log),
      signal,
    };

    const created = await step(
      "pulumi up",
      "pulumi up: an identity, a Windows VM that carries it, Reader on the resource group",
      () => session.devStack.stack.up(operation),
    );
    await step("verify", "verify, as the VM runs it: a token from IMDS, the group from ARM", () =>
      verify(session, created.outputs, log, signal),
    );
    await step("pulumi up again", "pulumi up again: nothing to change", async () => {
      expectNoChange(await session.devStack.stack.up({ ...operation, suppressOutputs: true }));
    });
    if (options.pause) {
      describeAccess(session, created.outputs).forEach(print);
      await options.pause();
    }
    await step("pulumi destroy", "pulumi destroy", () =>
      session.devStack.stack.destroy({ ...operation, suppressOutputs: true }),
    );
    await step("check", "Look for what is left behind", async () => {
      await expectNothingLeft(session);
      log("nothing: no resource in Azure, none in the state");
    });
    print("");
    summarize(created, durations).forEach(print);
  } finally {
    await session.close();
  }
}

async function verify(
  session: Session,
  outputs: OutputMap,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const command = readOutput(outputs, "verifyCommand");
  log(`> ${command}`);
  const exitCode = await runVerify({
    command,
    env: getVmEnvironment(session.azure, readOutput(outputs, "vmId"), session.caFile),
    log,
    signal,
  });
  if (exitCode !== 0) throw new StoryError(`verify ended with exit code ${exitCode}`);
}

function expectNoChange({ summary }: UpResult): void {
  const changes = Object.keys(summary.resourceChanges ?? {}).filter((kind) => kind !== "same");
  if (changes.length > 0) {
    throw new StoryError(
      `the second pulumi up was to change nothing, but had ${changes.join(", ")}`,
    );
  }
}

async function expectNothingLeft(session: Session): Promise<void> {
  const state = await session.devStack.stack.exportStack();
  const inState = (state.deployment as { resources?: { urn: string }[] }).resources ?? [];
  const left = [...session.azure.listResourceIds(), ...inState.map(({ urn }) => urn)];
  if (left.length > 0) throw new StoryError(`pulumi destroy left behind:\n${left.join("\n")}`);
}

function describeAccess(session: Session, outputs: OutputMap): string[] {
  const env = getVmEnvironment(session.azure, readOutput(outputs, "vmId"), session.caFile);
  return [
    "",
    "All of it runs until you press Ctrl-C; pulumi destroy follows then.",
    "Be the VM, in another terminal, in this folder:",
    ...Object.entries(env).map(([name, value]) => `    export ${name}=${value}`),
    `    ${readOutput(outputs, "verifyCommand").replace("verify.js", "dist/verify.js")}`,
    `    curl -H Metadata:true "${env.AZURE_POD_IDENTITY_AUTHORITY_HOST ?? ""}/metadata/instance?api-version=2021-02-01"`,
  ];
}

function summarize(
  { summary, outputs }: UpResult,
  durations: readonly { name: string; seconds: number }[],
): string[] {
  // The engine counts the stack itself among the resources.
  const created = (summary.resourceChanges?.create ?? 0) - 1;
  return [
    "All checks passed.",
    `    created  ${created} resources in ${readOutput(outputs, "resourceGroupName")}, and deleted them`,
    `    read     ${readOutput(outputs, "resourceGroupName")}, by ${readOutput(outputs, "identityName")} (principal ${readOutput(outputs, "identityPrincipalId")}) as ${readOutput(outputs, "role")}`,
    `    took     ${durations.map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`).join(", ")}`,
  ];
}

/** Reads one of the stack's outputs that are strings. */
export function readOutput(outputs: OutputMap, name: string): string {
  const value: unknown = outputs[name]?.value;
  if (typeof value !== "string") throw new StoryError(`the stack has no output ${name}`);
  return value;
}

/** The Automation API hands over output in pieces that may end anywhere; this calls `log` once a line. */
function createLineSplitter(log: (line: string) => void): (piece: string) => void {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(log);
  };
}
