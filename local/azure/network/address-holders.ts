import { AzureError } from "../errors";
import { readObjects, readReference } from "../json";
import type { JsonObject } from "../json";
import { isSameText, listResources } from "../state";
import type { Resource, State } from "../state";
import { listIpConfigurations } from "./ip-configurations";
import { NAT_GATEWAY_TYPE } from "./network-types";

/** The id of the IP configuration that a public address is with, if it is with one. */
export function findConfigurationHolding(state: State, addressId: string): string | undefined {
  return listIpConfigurations(state).find((one) => isSameText(one.publicIpAddressId, addressId))
    ?.id;
}

/** The id of the NAT gateway that a public address is with, if it is with one. */
export function findGatewayHolding(state: State, addressId: string): string | undefined {
  return listResources(state, NAT_GATEWAY_TYPE).find((gateway) =>
    listPublicIpAddressIds(gateway.properties).some((id) => isSameText(id, addressId)),
  )?.id;
}

/** The id of whatever a public address is with. */
export function findHolder(state: State, addressId: string): string | undefined {
  return findConfigurationHolding(state, addressId) ?? findGatewayHolding(state, addressId);
}

/**
 * Checks that a public address is free, or already with `user` (the id of an IP configuration or
 * NAT gateway).
 * @throws AzureError 400 PublicIPAddressInUse
 */
export function checkAddressIsFree(state: State, address: Resource, user: string): void {
  const holder = findHolder(state, address.id);
  if (holder === undefined || isSameText(holder, user)) return;
  throw new AzureError(
    400,
    "PublicIPAddressInUse",
    `Resource ${user} is referencing public IP address ${address.id} that is already allocated to resource ${holder}.`,
    { details: [] },
  );
}

/** The ids of the public addresses that a NAT gateway's properties name. */
export function listPublicIpAddressIds(properties: JsonObject): string[] {
  const path = "properties.publicIpAddresses";
  return readObjects(properties["publicIpAddresses"], path).flatMap(
    (one, index) => readReference(one, `${path}[${index}]`) ?? [],
  );
}
