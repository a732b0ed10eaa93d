import type { JsonFailure, JsonReport } from "./report";
import type { Step } from "./verification";

/** What each step shows when it passes. */
export const STEP_TITLES: Record<Step["name"], string> = {
  settings: "The settings are right",
  instance: "The VM says what is not given",
  token: "The managed identity gets a token",
  claims: "The token is that identity's, for Azure Resource Manager",
  resourceGroup: "The token reads the resource group",
  permissions: "The identity is Reader, and nothing more",
};

/** Plain ASCII: a Windows console or Run Command may not show more. */
const MARKS: Record<Step["status"], string> = {
  passed: "[ ok ]",
  warning: "[warn]",
  failed: "[FAIL]",
  skipped: "[ -- ]",
  "not-needed": "[ -- ]",
};

/** The report for a person: the steps with a mark each, then who it was and what was read. Ends with a line break. */
export function formatReport(report: JsonReport): string {
  const { settings, identity, clockSkewSeconds = 0, resourceGroup, permissions } = report;
  const blocks = [report.steps.map(toStepLine)];
  if (settings) {
    const toText = ({ value, source }: (typeof settings)["clientId"]) => `${value}  from ${source}`;
    blocks.push([
      "Settings",
      ...toRows({
        "Client id": toText(settings.clientId),
        "Subscription id": toText(settings.subscriptionId),
        "Resource group": toText(settings.resourceGroup),
        "Resource Manager": toText(settings.armEndpoint),
      }),
    ]);
  }
  if (identity) {
    const { clientId, principalId, tenantId, resourceId, vmResourceId } = identity;
    blocks.push([
      "Identity, by its token",
      ...toRows({
        "Client id": clientId,
        "Principal id": principalId,
        "Tenant id": tenantId,
        "Resource id": resourceId,
        "On the VM": vmResourceId,
        "Token is for": identity.tokenAudience,
        "Token valid until": toValidity(identity),
        "This clock": toClockNote(clockSkewSeconds),
      }),
    ]);
  }
  if (resourceGroup) {
    const { id, name, location, provisioningState, tags } = resourceGroup;
    const tagList = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    blocks.push([
      "Resource group",
      ...toRows({
        Id: id,
        Name: name,
        Location: location,
        "Provisioning state": provisioningState,
        Tags: tagList.join(", ") || "(none)",
        "The identity may": permissions?.flatMap(({ actions }) => actions).join(", "),
      }),
    ]);
  }
  return blocks.map(toBlock).join("\n");
}

/** One failure or warning for a person: what went wrong, asked and came back, what it means, what to run. Ends with a line break. */
export function formatFailure(kind: "error" | "warning", failure: JsonFailure): string {
  const { code, message, hint, commands, causes, asked, cameBack } = failure;
  const lines = [`${kind} ${code}: ${message}`];
  if (asked) {
    lines.push(`  asked      ${asked.method} ${asked.url}`);
    if (asked.proxy) {
      lines.push(`             through the proxy ${asked.proxy.url} (${asked.proxy.variable})`);
    }
  }
  if (cameBack) {
    const { status, code: serviceCode, message: serviceMessage, server } = cameBack;
    const summary = [status === undefined ? "no answer" : `status ${status}`, serviceCode];
    if (server) summary.push(`from ${server}`);
    lines.push(`  came back  ${summary.filter((part) => part !== undefined).join(", ")}`);
    if (serviceMessage) lines.push(`             "${shorten(serviceMessage)}"`);
    if (cameBack.retryAfterSeconds !== undefined) {
      lines.push(`             retry after ${cameBack.retryAfterSeconds} s`);
    }
    if (cameBack.requestId) lines.push(`             request id ${cameBack.requestId}`);
    if (cameBack.correlationId) lines.push(`             correlation id ${cameBack.correlationId}`);
  }
  lines.push(`  ${hint}`, ...commands.map(toCommandLine));
  for (const cause of causes) {
    lines.push(`  - ${cause.code}: ${cause.meaning}`, ...cause.commands.map(toCommandLine));
  }
  return toBlock(lines);
}

function toStepLine({ name, status, durationMs }: Step): string {
  const notes = { skipped: "not reached", "not-needed": "all is given" };
  const note =
    status === "skipped" || status === "not-needed" ? notes[status] : `${durationMs ?? 0} ms`;
  return `${MARKS[status]} ${STEP_TITLES[name]} (${note})`;
}

function toValidity({ tokenExpiresOn, tokenSecondsLeft = 0 }: NonNullable<JsonReport["identity"]>) {
  if (!tokenExpiresOn) return undefined;
  const minutes = Math.floor(tokenSecondsLeft / 60);
  return `${tokenExpiresOn} (${Math.floor(minutes / 60)} h ${minutes % 60} min left)`;
}

function toClockNote(skewSeconds: number): string | undefined {
  if (Math.abs(skewSeconds) <= 60) return undefined;
  return `${Math.abs(skewSeconds)} s ${skewSeconds > 0 ? "ahead of" : "behind"} Azure's`;
}

/** Enough of what a service said: Run Command, for one, keeps no more than 4 KB of all the output. */
function shorten(text: string): string {
  return text.length > 500 ? `${text.slice(0, 500)}…` : text;
}

function toCommandLine(command: string): string {
  return `      ${command}`;
}

function toRows(values: Record<string, string | undefined>): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([title, value]) => `  ${title.padEnd(20)}${value ?? ""}`);
}

/** Each entry on one line, whatever a service sent: control characters could move a terminal's cursor or forge lines. */
function toBlock(lines: readonly string[]): string {
  return `${lines.map((line) => line.replace(/\p{Cc}+/gu, " ")).join("\n")}\n`;
}
