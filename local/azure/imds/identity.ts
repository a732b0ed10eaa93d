import { refuse } from "./answer";
import type { ImdsAnswer, ImdsContext, ImdsRequest } from "./answer";
import { readObject } from "../json";
import { findResource, isSameText } from "../state";
import type { Principal, Resource } from "../state";
import type { AccessToken } from "../tokens";

/** Versions of the token endpoint; every client library sends the first. */
const API_VERSIONS: readonly string[] = [
  "2018-02-01",
  "2018-10-01",
  "2019-02-01",
  "2019-08-01",
  "2020-06-01",
  "2021-02-01",
];

/** The ways to name an identity; at most one may be used. */
const SELECTORS = ["client_id", "object_id", "msi_res_id"] as const;

/** An identity of a VM: its principal, and whether it is the VM's own. */
interface AttachedIdentity {
  principal: Principal;
  isSystemAssigned: boolean;
}

/**
 * Answers `/metadata/identity/oauth2/token` for one VM, with a cache of tokens by identity and
 * resource. "How to use managed identities on a VM to acquire an access token",
 * https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
 */
export function createTokenAnswers(
  context: ImdsContext,
): (request: ImdsRequest) => Promise<ImdsAnswer> {
  const { azure, vmId } = context;
  const cache = new Map<string, AccessToken>();

  async function getToken(principal: Principal, resource: string): Promise<AccessToken> {
    const key = `${principal.id} ${resource}`;
    const cached = cache.get(key);
    if (cached !== undefined && cached.expiresOn > Date.now() / 1000) return cached;
    const claims = { xms_az_rid: vmId };
    const token = await azure.tokens.issue(principal, resource, { claims });
    cache.set(key, token);
    return token;
  }

  return async ({ query }) => {
    const problem = findQueryProblem(query);
    if (problem !== undefined) return refuse(400, "invalid_request", problem);
    const resource = query.get("resource") ?? "";
    const identities = listIdentities(context);
    const chosen = chooseIdentity(identities, query);
    if ("status" in chosen) return chosen;
    if (!azure.tokens.isKnownAudience(resource)) {
      return refuse(
        400,
        "invalid_resource",
        `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${azure.state.tenantId}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
      );
    }
    const { token, notBefore, expiresOn } = await getToken(chosen, resource);
    const secondsLeft = String(Math.floor(expiresOn - Date.now() / 1000));
    return {
      status: 200,
      body: {
        access_token: token,
        client_id: chosen.appId,
        expires_in: secondsLeft,
        expires_on: String(expiresOn),
        ext_expires_in: secondsLeft,
        not_before: String(notBefore),
        resource,
        token_type: "Bearer",
      },
    };
  };
}

/** Answers `/metadata/identity/info`: the tenant of the VM's identities. */
export function answerIdentityInfo({ azure }: ImdsContext): ImdsAnswer {
  return { status: 200, body: { tenantId: azure.state.tenantId } };
}

/** Descriptions are for people; those not in Microsoft's documentation are inferred. */
function findQueryProblem(query: URLSearchParams): string | undefined {
  const names = [...query.keys()];
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) return `Duplicate query variable '${duplicate}'`;
  const apiVersion = query.get("api-version") ?? "";
  if (apiVersion === "") return "Required query variable 'api-version' is missing";
  if (!API_VERSIONS.includes(apiVersion)) return `Unsupported api-version '${apiVersion}'`;
  if ((query.get("resource") ?? "") === "") return "Required query variable 'resource' is missing";
  const used = SELECTORS.filter((name) => query.has(name));
  if (used.length > 1) return `Only one of ${SELECTORS.join(", ")} may be given`;
  return undefined;
}

/** The VM's identities whose service principals still exist. */
function listIdentities({ azure, vmId }: ImdsContext): AttachedIdentity[] {
  const { principals } = azure.state;
  const identity = getIdentity(findResource(azure.state, vmId));
  const system = principals.get(String(identity["principalId"]));
  const assigned = Object.values(
    readObject(identity["userAssignedIdentities"], "userAssignedIdentities"),
  ).flatMap((ids) => principals.get(String(readObject(ids, "ids")["principalId"])) ?? []);
  return [
    ...(system === undefined ? [] : [{ principal: system, isSystemAssigned: true }]),
    ...assigned.map((principal) => ({ principal, isSystemAssigned: false })),
  ];
}

function getIdentity(virtualMachine: Resource | undefined): Record<string, unknown> {
  return virtualMachine?.identity ?? {};
}

/** The named identity; without a name the system-assigned one, or else the only one. */
function chooseIdentity(
  identities: readonly AttachedIdentity[],
  query: URLSearchParams,
): Principal | ImdsAnswer {
  const named = SELECTORS.find((name) => query.has(name));
  const found =
    named === undefined
      ? identities.filter(({ isSystemAssigned }, _, { length }) => isSystemAssigned || length === 1)
      : identities.filter(({ principal }) =>
          isSameText(getSelector(principal, named), query.get(named) ?? ""),
        );
  const [first] = found;
  if (first !== undefined) return first.principal;
  if (named === undefined && identities.length > 1) {
    return refuse(
      400,
      "invalid_request",
      "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
    );
  }
  return refuse(400, "invalid_request", "Identity not found");
}

function getSelector(principal: Principal, name: (typeof SELECTORS)[number]): string | undefined {
  switch (name) {
    case "client_id":
      return principal.appId;
    case "object_id":
      return principal.id;
    case "msi_res_id":
      return principal.resourceId;
  }
}
