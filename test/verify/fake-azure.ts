import {
  createGroupAnswer,
  createInstanceAnswer,
  createPermissionsAnswer,
  createTokenAnswer,
  createArmError,
  getScope,
  type Subject,
} from "./azure-answers";
import {
  startServer,
  type Certificate,
  type Received,
  type Reply,
  type TestServer,
} from "./servers";

/** The calls that verify makes. `groups` is the list of groups that explains a 403. */
export type Call = "instance" | "token" | "group" | "permissions" | "groups";

/** What is answered to each call, in turn, the last one for ever; absent: as Azure answers when all is well. */
export type Replies = Partial<Record<Call, readonly Reply[]>>;

/** IMDS and ARM of one test. */
export interface FakeAzure extends AsyncDisposable {
  imds: TestServer;
  arm: TestServer;
  /** The requests of one call, in their order. */
  listRequests: (call: Call) => Received[];
  /** How often each call came; calls that did not come are absent. */
  countRequests: () => Partial<Record<Call, number>>;
  /** The environment of a run that is told everything about the subject. */
  env: Record<string, string>;
  /** The environment of a run on the subject's VM: only where IMDS and ARM are. */
  vmEnv: Record<string, string>;
}

/**
 * Starts IMDS and ARM. A request that verify should never make is answered 501.
 * @param getReplies told the audience of tokens for this ARM
 */
export async function startAzure(
  subject: Subject,
  certificate: Certificate,
  getReplies: (audience: string) => Replies = () => ({}),
): Promise<FakeAzure> {
  const requests: { call: Call; request: Received }[] = [];
  const paths = listPaths(subject);
  const answer = (calls: readonly Call[], request: Received): Reply => {
    const path = decodeURIComponent(request.url.split("?")[0] ?? "");
    const call = calls.find((one) => paths[one] === path);
    if (!call || request.method !== "GET") return { status: 501, body: `no ${request.url}` };
    requests.push({ call, request });
    const inTurn = replies[call];
    const count = requests.filter((one) => one.call === call).length;
    return inTurn[Math.min(count, inTurn.length) - 1] ?? { status: 501 };
  };
  const arm = await startServer(
    (request) => answer(["group", "permissions", "groups"], request),
    certificate,
  );
  const imds = await startServer((request) => answer(["instance", "token"], request));
  const audience = `${arm.url}/`;
  const replies: Record<Call, readonly Reply[]> = {
    instance: [createInstanceAnswer(subject)],
    token: [createTokenAnswer(subject, audience)],
    group: [createGroupAnswer(subject)],
    permissions: [createPermissionsAnswer(["*/read"])],
    groups: [createArmError(403, "AuthorizationFailed")],
    ...getReplies(audience),
  };
  const vmEnv = {
    AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.url,
    AZURE_RESOURCE_MANAGER_ENDPOINT: arm.url,
  };
  return {
    imds,
    arm,
    listRequests: (call) =>
      requests.filter((one) => one.call === call).map(({ request }) => request),
    countRequests: () => {
      const counts: Partial<Record<Call, number>> = {};
      for (const { call } of requests) counts[call] = (counts[call] ?? 0) + 1;
      return counts;
    },
    env: { ...toEnvironment(subject), ...vmEnv },
    vmEnv,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([imds.close(), arm.close()]);
    },
  };
}

/** The environment that names the subject's identity and group. */
export function toEnvironment(subject: Subject): Record<string, string> {
  const { clientId, subscriptionId, resourceGroup } = subject;
  return {
    AZURE_CLIENT_ID: clientId,
    AZURE_SUBSCRIPTION_ID: subscriptionId,
    AZURE_RESOURCE_GROUP: resourceGroup,
  };
}

function listPaths(subject: Subject): Record<Call, string> {
  const scope = getScope(subject);
  return {
    instance: "/metadata/instance/compute",
    token: "/metadata/identity/oauth2/token",
    group: scope,
    permissions: `${scope}/providers/Microsoft.Authorization/permissions`,
    groups: `/subscriptions/${subject.subscriptionId}/resourcegroups`,
  };
}
