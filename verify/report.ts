import type { FromVm, Settings } from "./config";
import type { Asked, CameBack, Cause, FailureCode, VerifyError } from "./errors";
import type { Step, Verification } from "./verification";

/**
 * What `--json` prints, as one object, also on failure. Field names are stable; absent fields are unknown.
 * Times are ISO 8601 in UTC.
 */
export interface JsonReport {
  /** Whether no step failed. */
  ok: boolean;
  /** The process's exit code. */
  exitCode: number;
  steps: readonly Step[];
  /** What was verified, and where each value came from. */
  settings?: Record<FromVm, { value: string; source: string }>;
  /** The VM, when something had to be asked of it. */
  vm?: { resourceId?: string; name?: string; resourceGroup?: string; environment?: string };
  /** The holder of the token, by its claims. */
  identity?: {
    clientId?: string;
    principalId?: string;
    tenantId?: string;
    /** Of the identity. */
    resourceId?: string;
    /** Of the VM that the token was given to. */
    vmResourceId?: string;
    tokenAudience?: string;
    tokenIssuedOn?: string;
    tokenExpiresOn?: string;
    tokenSecondsLeft?: number;
  };
  /** How far this machine's clock is ahead of Azure's. */
  clockSkewSeconds?: number;
  resourceGroup?: {
    id: string;
    name: string;
    location: string;
    provisioningState: string;
    tags: Record<string, string>;
  };
  /** What the identity may do on the resource group, one entry for each role. */
  permissions?: { actions: string[]; notActions: string[]; dataActions: string[] }[];
  /** What is not as it should be, though the chain works; empty when all is well. */
  warnings: readonly JsonFailure[];
  error?: JsonFailure;
}

/** One failure or warning. */
export interface JsonFailure {
  code: FailureCode;
  message: string;
  hint: string;
  commands: readonly string[];
  causes: readonly Cause[];
  asked?: Asked;
  cameBack?: CameBack;
}

/** The report as data. */
export function toJsonReport(verification: Verification, nowMs: number): JsonReport {
  const { steps, settings, instance, identity, clockSkewMs } = verification;
  const { resourceGroup, permissions, warnings, error } = verification;
  const report: JsonReport = {
    ok: !error,
    exitCode: error?.exitCode ?? 0,
    steps,
    warnings: warnings.map(toJsonFailure),
  };
  if (settings) report.settings = toJsonSettings(settings);
  if (instance) {
    const { resourceId, name, resourceGroup: group, environment } = instance;
    report.vm = {
      ...(resourceId && { resourceId }),
      ...(name && { name }),
      ...(group && { resourceGroup: group }),
      ...(environment && { environment }),
    };
  }
  if (identity) {
    const { audience, clientId, principalId, tenantId, identityResourceId } = identity;
    const { vmResourceId, issuedOn, expiresOn } = identity;
    const leftMs = (expiresOn?.getTime() ?? NaN) - (nowMs - (clockSkewMs ?? 0));
    report.identity = {
      ...(clientId && { clientId }),
      ...(principalId && { principalId }),
      ...(tenantId && { tenantId }),
      ...(identityResourceId && { resourceId: identityResourceId }),
      ...(vmResourceId && { vmResourceId }),
      ...(audience && { tokenAudience: audience }),
      ...(issuedOn && { tokenIssuedOn: issuedOn.toISOString() }),
      ...(expiresOn && {
        tokenExpiresOn: expiresOn.toISOString(),
        tokenSecondsLeft: Math.round(leftMs / 1_000),
      }),
    };
  }
  if (clockSkewMs !== undefined) report.clockSkewSeconds = Math.round(clockSkewMs / 1_000);
  if (resourceGroup) report.resourceGroup = resourceGroup;
  if (permissions) report.permissions = permissions;
  if (error) report.error = toJsonFailure(error);
  return report;
}

function toJsonSettings(settings: Settings): NonNullable<JsonReport["settings"]> {
  const toEntry = (name: FromVm) => ({ value: settings[name], source: settings.sources[name] });
  return {
    clientId: toEntry("clientId"),
    subscriptionId: toEntry("subscriptionId"),
    resourceGroup: toEntry("resourceGroup"),
    armEndpoint: toEntry("armEndpoint"),
  };
}

function toJsonFailure(error: VerifyError): JsonFailure {
  const { code, message, hint, commands, causes, asked, cameBack } = error;
  return {
    code,
    message,
    hint,
    commands,
    causes,
    ...(asked && { asked }),
    ...(cameBack && { cameBack }),
  };
}
