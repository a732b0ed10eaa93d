import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";

import { createTokenService } from "../../../local/azure/tokens";
import type { TokenService } from "../../../local/azure/tokens";
import type { Principal } from "../../../local/azure/state";
import { callArm, createClients, createVmStack, getVmToken, startForTest } from "./fixtures";

const ARM = "https://127.0.0.1:4433";
const PRINCIPAL: Principal = { id: "oid-1", appId: "app-1", type: "ServicePrincipal" };

async function createService(): Promise<TokenService> {
  return createTokenService("tenant-1", () => ARM);
}

async function getCode(service: TokenService, authorization: string | undefined): Promise<unknown> {
  return service.verify(authorization).then(
    (caller) => caller,
    (error: unknown) => {
      const { status, code } = error as { status: number; code: string };
      return `${status} ${code}`;
    },
  );
}

describe("tokens", () => {
  it.each([
    [`${ARM}/`],
    [ARM],
    ["https://management.azure.com/"],
    ["https://management.azure.com"],
    ["https://management.core.windows.net/"],
    ["https://management.core.windows.net"],
  ])("are good for ARM with the audience %s", async (audience) => {
    const service = await createService();
    const { token } = await service.issue(PRINCIPAL, audience);
    expect(await getCode(service, `Bearer ${token}`)).toEqual({
      objectId: "oid-1",
      appId: "app-1",
    });
    expect(await getCode(service, `bearer ${token}`)).toEqual({
      objectId: "oid-1",
      appId: "app-1",
    });
  });

  it.each([
    ["no header", () => undefined, "401 AuthenticationFailed"],
    ["an empty header", () => "", "401 AuthenticationFailed"],
    ["another scheme", () => "Basic abc", "401 AuthenticationFailedInvalidHeader"],
    ["no token", () => "Bearer", "401 AuthenticationFailedInvalidHeader"],
    ["something that isn't a token", () => "Bearer abc", "401 InvalidAuthenticationToken"],
    [
      "a token for someone else",
      async (service: TokenService) =>
        `Bearer ${(await service.issue(PRINCIPAL, "https://graph.microsoft.com")).token}`,
      "401 InvalidAuthenticationTokenAudience",
    ],
    [
      "an audience that only starts alike",
      async (service: TokenService) =>
        `Bearer ${(await service.issue(PRINCIPAL, `${ARM}//`)).token}`,
      "401 InvalidAuthenticationTokenAudience",
    ],
    [
      "an expired token",
      async (service: TokenService) =>
        `Bearer ${(await service.issue(PRINCIPAL, ARM, { lifetimeSeconds: -1 })).token}`,
      "401 ExpiredAuthenticationToken",
    ],
    [
      "another tenant's token",
      async (service: TokenService) =>
        `Bearer ${(await service.issue(PRINCIPAL, ARM, { issuer: "https://sts.windows.net/tenant-2/" })).token}`,
      "401 InvalidAuthenticationTokenTenant",
    ],
    [
      "a token someone else signed",
      async () => {
        const { privateKey } = await generateKeyPair("ES256");
        const token = await new SignJWT({ oid: "oid-1", appid: "app-1" })
          .setProtectedHeader({ alg: "ES256" })
          .setAudience(ARM)
          .setIssuer("https://sts.windows.net/tenant-1/")
          .setExpirationTime("1h")
          .sign(privateKey);
        return `Bearer ${token}`;
      },
      "401 InvalidAuthenticationToken",
    ],
    [
      "an unsigned token",
      () =>
        `Bearer ${[{ alg: "none" }, { aud: ARM, iss: "https://sts.windows.net/tenant-1/" }]
          .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
          .join(".")}.`,
      "401 InvalidAuthenticationToken",
    ],
  ])("refuses %s", async (_, getHeader, expected) => {
    const service = await createService();
    expect(await getCode(service, await getHeader(service))).toBe(expected);
  });

  it("challenges whoever comes without a token", async () => {
    const azure = await startForTest();
    const path = "/resourceGroups?api-version=2021-04-01";
    const { status, headers } = await callArm(azure, path, { authorization: null });
    expect(status).toBe(401);
    expect(headers["www-authenticate"]).toContain(
      `Bearer authorization_uri="https://login.microsoftonline.com/${azure.tenantId}"`,
    );
  });

  it("say who a VM's identity is, and where it stands", async () => {
    const azure = await startForTest();
    const stack = await createVmStack(azure, createClients(azure));
    const token = await getVmToken(azure, stack.vmId, stack.clientId);
    const claims = decodeJwt(token);
    expect(claims).toMatchObject({
      aud: `${azure.armEndpoint}/`,
      iss: `https://sts.windows.net/${azure.tenantId}/`,
      appid: stack.clientId,
      oid: stack.principalId,
      sub: stack.principalId,
      tid: azure.tenantId,
      idtyp: "app",
      ver: "1.0",
      xms_mirid: stack.identityId,
      xms_az_rid: stack.vmId,
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(86_700);
    expect(claims.nbf).toBe(claims.iat);
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: "JWT", alg: "ES256" });
  });
});
