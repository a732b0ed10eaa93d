import { randomUUID } from "node:crypto";

import { startArm } from "./arm";
import { createCertificate } from "./certificate";
import { getPowerRoutes } from "./compute/power-routes";
import { createScriptRuns } from "./compute/script-runs";
import type { RunScript } from "./compute/script-runs";
import type { Azure } from "./context";
import { createFaults } from "./faults";
import type { Fault } from "./faults";
import type { RequestRecord } from "./http-server";
import { createImdsServers } from "./imds/servers";
import { getLockRoutes } from "./locks";
import { getOperationRoutes } from "./operation-routes";
import { createOperations } from "./operations";
import { BUILT_IN_ROLES, ROLE_ASSIGNMENT_TYPE } from "./rbac";
import { getResourceGroupRoutes } from "./resource-groups";
import { getResourceRoutes } from "./resource-routes";
import { RESOURCE_TYPES } from "./resource-types";
import { getRoleAssignmentRoutes } from "./role-assignments";
import { getRoleDefinitionId, getRoleDefinitionRoutes } from "./role-definitions";
import { createState, storeResource } from "./state";
import type { Principal, Resource, State } from "./state";
import { createTokenService } from "./tokens";

export type { RunScript, ScriptRequest, ScriptResult } from "./compute/script-runs";
export type { Fault } from "./faults";
export type { RequestRecord } from "./http-server";

/** How many requests are remembered by default: an Azure that runs for days must not grow for days. */
const DEFAULT_MAX_REQUESTS = 20_000;

/** How the local Azure differs from the default one; all delays default to 0. */
export interface LocalAzureSettings {
  /** GUID; random by default. */
  subscriptionId?: string;
  /** GUID; random by default. */
  tenantId?: string;
  /** Milliseconds that every answer of Azure Resource Manager waits. */
  armLatencyMs?: number;
  /** Milliseconds that a long-running operation takes. */
  operationMs?: number;
  /** Milliseconds from a role assignment's creation until it works. */
  rolePropagationMs?: number;
  /** How many requests are remembered before the oldest half is forgotten; default 20,000. */
  maxRequests?: number;
  /** Runs what run commands want run on a VM; without it, every script fails and says so. */
  runScript?: RunScript;
  /** Called when a request is over. */
  onRequest?: (record: RequestRecord) => void;
}

/** A running local Azure: Azure Resource Manager and a metadata service for each VM. */
export interface LocalAzure {
  /** `https://127.0.0.1:PORT`, no trailing slash. */
  readonly armEndpoint: string;
  /** The certificate that {@link armEndpoint} is to be trusted by, PEM. */
  readonly caCertificate: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** A token for Azure Resource Manager of a principal that is Owner of the subscription. */
  getDeployerToken(): Promise<{ token: string; expiresOnTimestamp: number }>;
  /**
   * `http://127.0.0.1:PORT` of that VM's own metadata service.
   * @throws Error when there is no such VM, or it doesn't run
   */
  getImdsEndpoint(vmId: string): string;
  /** Ids of all that exists: groups, resources, role assignments. Empty: nothing is left behind. */
  listResourceIds(): string[];
  /** Breaks just the next answer that matches. */
  answerNext(fault: Fault): void;
  /** The requests that are over, oldest first; see {@link LocalAzureSettings.maxRequests}. */
  readonly requests: readonly RequestRecord[];
  /** Stops all servers, and what was under way with them. */
  close(): Promise<void>;
}

/** Starts an Azure in this process, on 127.0.0.1 and free ports, with an empty subscription. */
export async function startLocalAzure(settings: LocalAzureSettings = {}): Promise<LocalAzure> {
  const subscriptionId = settings.subscriptionId ?? randomUUID();
  const tenantId = settings.tenantId ?? randomUUID();
  const state = createState(subscriptionId, tenantId);
  const deployer = addDeployer(state);
  const requests: RequestRecord[] = [];
  const maxRequests = settings.maxRequests ?? DEFAULT_MAX_REQUESTS;
  const faults = createFaults();
  const onRequest = (record: RequestRecord): void => {
    requests.push(record);
    if (requests.length > maxRequests) requests.splice(0, Math.ceil(maxRequests / 2));
    settings.onRequest?.(record);
  };

  let armEndpoint = "";
  const [certificate, tokens] = await Promise.all([
    createCertificate(),
    createTokenService(tenantId, () => armEndpoint),
  ]);
  const operations = createOperations(state, settings.operationMs ?? 0);
  const scriptRuns = createScriptRuns(settings.runScript);
  const imds = createImdsServers(() => azure, { service: "imds", latencyMs: 0, faults, onRequest });
  const azure: Azure = {
    state,
    operations,
    tokens,
    metadata: imds,
    scriptRuns,
    rolePropagationMs: settings.rolePropagationMs ?? 0,
  };
  const routes = [
    ...getResourceGroupRoutes(azure, RESOURCE_TYPES),
    ...RESOURCE_TYPES.flatMap((resourceType) => getResourceRoutes(resourceType, azure)),
    ...getPowerRoutes(azure),
    ...getRoleDefinitionRoutes(azure),
    ...getRoleAssignmentRoutes(azure),
    ...getLockRoutes(azure),
    ...getOperationRoutes(azure),
  ];
  const arm = await startArm(azure, routes, {
    service: "arm",
    certificate,
    latencyMs: settings.armLatencyMs ?? 0,
    faults,
    onRequest,
  });
  armEndpoint = arm.endpoint;

  return {
    armEndpoint,
    caCertificate: certificate.cert,
    tenantId,
    subscriptionId,
    async getDeployerToken() {
      const { token, expiresOn } = await tokens.issue(deployer.principal, `${armEndpoint}/`);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
    getImdsEndpoint(vmId) {
      const endpoint = imds.getEndpoint(vmId);
      if (endpoint === undefined) throw new Error(`No VM runs with the id ${vmId}.`);
      return endpoint;
    },
    listResourceIds: () =>
      [...state.resources.values()]
        .map(({ id }) => id)
        .filter((id) => id !== deployer.roleAssignment.id),
    answerNext: (fault) => {
      faults.add(fault);
    },
    requests,
    async close() {
      operations.close();
      await scriptRuns.close();
      // In this order: a request under way may still start a VM's metadata service.
      await arm.close();
      await imds.close();
    },
  };
}

/** Adds the principal that deploys, Owner of the subscription since long ago. */
function addDeployer(state: State): { principal: Principal; roleAssignment: Resource } {
  const principal: Principal = { id: randomUUID(), appId: randomUUID(), type: "ServicePrincipal" };
  state.principals.set(principal.id, principal);
  const scope = `/subscriptions/${state.subscriptionId}`;
  const owner = BUILT_IN_ROLES.find(({ name }) => name === "Owner");
  if (owner === undefined) throw new Error("There is no Owner role.");
  const name = randomUUID();
  const roleAssignment: Resource = {
    id: `${scope}/providers/${ROLE_ASSIGNMENT_TYPE}/${name}`,
    name,
    type: ROLE_ASSIGNMENT_TYPE,
    properties: {
      roleDefinitionId: getRoleDefinitionId(state.subscriptionId, owner),
      principalId: principal.id,
      principalType: principal.type,
      scope,
      createdOn: new Date(0).toISOString(),
    },
  };
  storeResource(state, roleAssignment);
  return { principal, roleAssignment };
}
