import { randomBytes, randomUUID } from "node:crypto";

/** The identity, subscription and group of one test. */
export interface Subject {
  clientId: string;
  principalId: string;
  tenantId: string;
  subscriptionId: string;
  resourceGroup: string;
  /** A token with Azure's claims and a signature of random bytes: nobody in these tests checks it. */
  token: string;
}

/** A new identity for each test, so that no answer can come from another one. */
export function createSubject(overrides: Partial<Subject> = {}): Subject {
  const ids = {
    clientId: randomUUID(),
    principalId: randomUUID(),
    tenantId: randomUUID(),
    subscriptionId: randomUUID(),
    resourceGroup: "rg-tutorial",
    ...overrides,
  };
  return { ...ids, token: overrides.token ?? createToken(ids) };
}

/** The resource id of the subject's identity, as the token's `xms_mirid` has it. */
export function getIdentityId({ subscriptionId, resourceGroup }: Omit<Subject, "token">): string {
  return `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-vm`;
}

/** A token of the subject; `claims` replace or add claims. */
export function createToken(subject: Omit<Subject, "token">, claims: object = {}): string {
  const now = Math.floor(Date.now() / 1_000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = {
    aud: "https://management.azure.com/",
    iss: `https://sts.windows.net/${subject.tenantId}/`,
    iat: now,
    nbf: now,
    exp: now + 86_700,
    appid: subject.clientId,
    oid: subject.principalId,
    sub: subject.principalId,
    tid: subject.tenantId,
    xms_mirid: getIdentityId(subject),
    ...claims,
  };
  const header = encode({ typ: "JWT", alg: "RS256", kid: "test" });
  return `${header}.${encode(payload)}.${randomBytes(256).toString("base64url")}`;
}

/** IMDS' answer to a token request; every field is a string. */
export function createTokenAnswer({ token, clientId }: Subject, fields: object = {}) {
  const now = Math.floor(Date.now() / 1_000);
  return {
    status: 200,
    headers: { Server: "IMDS/150.870.65.1854" },
    body: {
      access_token: token,
      client_id: clientId,
      expires_in: "86400",
      expires_on: String(now + 86_400),
      ext_expires_in: "86399",
      not_before: String(now),
      resource: "https://management.azure.com/",
      token_type: "Bearer",
      ...fields,
    },
  };
}

/** IMDS' answer to a request that names an identity the VM does not carry. */
export const IDENTITY_NOT_FOUND = {
  status: 400,
  body: { error: "invalid_request", error_description: "Identity not found" },
};

/** ARM's answer with the subject's resource group. */
export function createGroupAnswer({ subscriptionId, resourceGroup }: Subject) {
  return {
    status: 200,
    body: {
      id: `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`,
      name: resourceGroup,
      type: "Microsoft.Resources/resourceGroups",
      location: "westeurope",
      tags: { project: "tutorial" },
      properties: { provisioningState: "Succeeded" },
    },
  };
}

/** An error answer of ARM with request ids. */
export function createArmError(
  status: number,
  code: string,
  message = "Told by the service.",
  headers: Record<string, string> = {},
) {
  return {
    status,
    headers: {
      "x-ms-request-id": "aaaaaaaa-0000-4000-8000-000000000001",
      "x-ms-correlation-request-id": "aaaaaaaa-0000-4000-8000-000000000002",
      ...headers,
    },
    body: { error: { code, message } },
  };
}
