import type { Asked, CameBack, FailureCode } from "./errors";
import type { Step, Verification } from "./verification";

/**
 * What `--json` prints, as one object, also on failure. Field names are stable; absent fields are unknown.
 * Times are ISO 8601 in UTC.
 */
export interface JsonReport {
  /** Whether every step passed. */
  ok: boolean;
  /** The process's exit code. */
  exitCode: number;
  steps: readonly Step[];
  /** The holder of the token. */
  identity?: {
    clientId?: string;
    principalId?: string;
    tenantId?: string;
    resourceId?: string;
    tokenAudience?: string;
    tokenExpiresOn?: string;
  };
  resourceGroup?: {
    id: string;
    name: string;
    location: string;
    provisioningState: string;
    tags: Record<string, string>;
  };
  error?: {
    code: FailureCode;
    message: string;
    hint: string;
    commands: readonly string[];
    asked?: Asked;
    cameBack?: CameBack;
  };
}

/** The report as data. */
export function toJsonReport({ steps, identity, resourceGroup, error }: Verification): JsonReport {
  const report: JsonReport = { ok: !error, exitCode: error?.exitCode ?? 0, steps };
  if (identity) {
    const { audience, clientId, principalId, tenantId, identityResourceId, expiresOn } = identity;
    report.identity = {
      ...(clientId && { clientId }),
      ...(principalId && { principalId }),
      ...(tenantId && { tenantId }),
      ...(identityResourceId && { resourceId: identityResourceId }),
      ...(audience && { tokenAudience: audience }),
      ...(expiresOn && { tokenExpiresOn: expiresOn.toISOString() }),
    };
  }
  if (resourceGroup) report.resourceGroup = resourceGroup;
  if (error) {
    const { code, message, hint, commands, asked, cameBack } = error;
    report.error = {
      code,
      message,
      hint,
      commands,
      ...(asked && { asked }),
      ...(cameBack && { cameBack }),
    };
  }
  return report;
}

const STEP_TITLES: Record<Step["name"], string> = {
  settings: "Settings are complete",
  token: "The managed identity gets a token",
  resourceGroup: "The token reads the resource group",
};

/** Plain ASCII: a Windows console or Run Command may not show more. */
const MARKS: Record<Step["status"], string> = {
  passed: "[ ok ]",
  failed: "[FAIL]",
  skipped: "[ -- ]",
};

/** The report for a person: the steps with a mark each, then who it was and what was read. Ends with a line break. */
export function formatReport(report: JsonReport): string {
  const steps = report.steps.map(({ name, status, durationMs }) => {
    const time = durationMs === undefined ? "" : ` (${durationMs} ms)`;
    return `${MARKS[status]} ${STEP_TITLES[name]}${time}`;
  });
  const blocks = [steps];
  const { identity, resourceGroup } = report;
  if (identity) {
    blocks.push([
      "Identity",
      ...toRows({
        "Client id": identity.clientId,
        "Principal id": identity.principalId,
        "Tenant id": identity.tenantId,
        "Resource id": identity.resourceId,
        "Token valid until": identity.tokenExpiresOn,
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
      }),
    ]);
  }
  return `${blocks.map((lines) => lines.map(toLine).join("\n")).join("\n\n")}\n`;
}

/** The error for a person: what went wrong, asked and came back, what it means, what to run. Ends with a line break. */
export function formatError({
  code,
  message,
  hint,
  commands,
  asked,
  cameBack,
}: NonNullable<JsonReport["error"]>): string {
  const lines = [`error ${code}: ${message}`];
  if (asked) lines.push(`  asked      ${asked.method} ${asked.url}`);
  if (cameBack) {
    const { status, code: serviceCode, message: serviceMessage, server } = cameBack;
    const summary = [status === undefined ? "no answer" : `status ${status}`, serviceCode];
    if (server) summary.push(`from ${server}`);
    lines.push(`  came back  ${summary.filter((part) => part !== undefined).join(", ")}`);
    if (serviceMessage) lines.push(`             "${serviceMessage}"`);
    if (cameBack.requestId) lines.push(`             request id ${cameBack.requestId}`);
    if (cameBack.correlationId) lines.push(`             correlation id ${cameBack.correlationId}`);
  }
  lines.push(`  ${hint}`);
  for (const command of commands) lines.push(`    ${command}`);
  return `${lines.map(toLine).join("\n")}\n`;
}

function toRows(values: Record<string, string | undefined>): string[] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([title, value]) => `  ${title.padEnd(20)}${value ?? ""}`);
}

/** One line, whatever a service sent: control characters could move a terminal's cursor or forge lines. */
function toLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
