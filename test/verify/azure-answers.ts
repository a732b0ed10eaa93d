import { randomBytes, randomUUID } from "node:crypto";

/** The identity, subscription and group of one test. */
export interface Subject {
  clientId: string;
  principalId: string;
  tenantId: string;
  subscriptionId: string;
  /** The group that is read, in which the VM is. */
  resourceGroup: string;
  /** The signature of the token: random bytes, since nobody in these tests checks it. */
  signature: string;
  /** When its tokens are issued: seconds since 1970. */
  now: number;
}

/** A new identity for each test, so that no answer can come from another one. */
export function createSubject(overrides: Partial<Subject> = {}): Subject {
  return {
    clientId: randomUUID(),
    principalId: randomUUID(),
    tenantId: randomUUID(),
    subscriptionId: randomUUID(),
    resourceGroup: "rg-tutorial",
    signature: randomBytes(256).toString("base64url"),
    now: Math.floor(Date.now() / 1_000),
    ...overrides,
  };
}

/** Resource id of the subject's group. */
export function getScope({ subscriptionId, resourceGroup }: Subject): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}`;
}

/** Resource id of the subject's identity, as the token's `xms_mirid` has it. */
export function getIdentityId({ subscriptionId, resourceGroup }: Subject): string {
  return `/subscriptions/${subscriptionId}/resourcegroups/${resourceGroup}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-vm`;
}

/** Resource id of the subject's VM. */
export function getVmId(subject: Subject): string {
  return `${getScope(subject)}/providers/Microsoft.Compute/virtualMachines/vm-tutorial`;
}

/** A token of the subject with Azure's claims, the same each time; `claims` replace or add some. */
export function createToken(subject: Subject, audience: string, claims: object = {}): string {
  const { now } = subject;
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = {
    aud: audience,
    iss: `https://sts.windows.net/${subject.tenantId}/`,
    iat: now - 300,
    nbf: now - 300,
    exp: now + 86_400,
    appid: subject.clientId,
    oid: subject.principalId,
    sub: subject.principalId,
    tid: subject.tenantId,
    xms_mirid: getIdentityId(subject),
    xms_az_rid: getVmId(subject),
    ...claims,
  };
  return `${encode({ typ: "JWT", alg: "RS256", kid: "test" })}.${encode(payload)}.${subject.signature}`;
}

/** A body that a reply sends as JSON. */
interface JsonReply {
  status: number;
  headers?: Record<string, string>;
  body: Record<string, unknown>;
}

/** IMDS' answer to a token request; every field is a string. */
export function createTokenAnswer(
  subject: Subject,
  audience: string,
  fields: object = {},
): JsonReply {
  const { now } = subject;
  return {
    status: 200,
    headers: { Server: "IMDS/150.870.65.1854" },
    body: {
      access_token: createToken(subject, audience),
      client_id: subject.clientId,
      expires_in: "86400",
      expires_on: String(now + 86_400),
      ext_expires_in: "86399",
      not_before: String(now),
      resource: audience,
      token_type: "Bearer",
      ...fields,
    },
  };
}

/** IMDS' answer with the subject's VM, whose tag names the subject's client id. */
export function createInstanceAnswer(subject: Subject, fields: object = {}): JsonReply {
  return {
    status: 200,
    headers: { Server: "IMDS/150.870.65.1854" },
    body: {
      azEnvironment: "AzurePublicCloud",
      location: "westeurope",
      name: "vm-tutorial",
      osType: "Windows",
      resourceGroupName: subject.resourceGroup,
      resourceId: getVmId(subject),
      subscriptionId: subject.subscriptionId,
      tagsList: [
        { name: "project", value: "tutorial" },
        { name: "Identity-Client-Id", value: subject.clientId },
      ],
      vmId: "02aab8a4-74ef-476e-8182-f6d2ba4166a6",
      vmScaleSetName: "",
      ...fields,
    },
  };
}

/** An error answer of IMDS. */
export function createImdsError(status: number, error: unknown, description = ""): JsonReply {
  return { status, body: { error, error_description: description } };
}

/** IMDS' answer to a request that names an identity the VM does not carry. */
export const IDENTITY_NOT_FOUND = createImdsError(400, "invalid_request", "Identity not found");

/** ARM's answer with the subject's resource group. */
export function createGroupAnswer(subject: Subject, fields: object = {}): JsonReply {
  return {
    status: 200,
    body: {
      id: getScope(subject),
      name: subject.resourceGroup,
      type: "Microsoft.Resources/resourceGroups",
      location: "westeurope",
      tags: { project: "tutorial" },
      properties: { provisioningState: "Succeeded" },
      ...fields,
    },
  };
}

/** ARM's list of permissions for one role. */
export function createPermissionsAnswer(actions: unknown, fields: object = {}): JsonReply {
  const role = { actions, notActions: [], dataActions: [], notDataActions: [], ...fields };
  return { status: 200, body: { value: [role] } };
}

/** An error answer of ARM with request ids. */
export function createArmError(
  status: number,
  code: string,
  message = "Told by the service.",
  headers: Record<string, string> = {},
): JsonReply {
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
