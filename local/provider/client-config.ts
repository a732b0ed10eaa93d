import type { AccessToken } from "@azure/core-auth";
import { decodeJwt } from "jose";

/** What azure-native's function `authorization.getClientConfig` returns. */
export type ClientConfig = Record<"clientId" | "objectId" | "subscriptionId" | "tenantId", string>;

/**
 * Who deploys, and where to. Client and object id stand in the token, as for azure-native.
 * @throws Error when the token lacks one of them.
 */
export async function getClientConfig(settings: {
  subscriptionId: string;
  tenantId: string;
  getToken: () => Promise<AccessToken>;
}): Promise<ClientConfig> {
  const { subscriptionId, tenantId, getToken } = settings;
  const { appid, oid } = decodeJwt((await getToken()).token);
  if (typeof appid !== "string" || typeof oid !== "string") {
    throw new Error("The deployer's token lacks the claim 'appid' or 'oid'.");
  }
  return { clientId: appid, objectId: oid, subscriptionId, tenantId };
}
