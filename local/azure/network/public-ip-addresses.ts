import { randomUUID } from "node:crypto";

import { AzureError } from "../errors";
import { readObject, readText } from "../json";
import { checkNotGiven } from "../references";
import type { ResourceType } from "../resource-type";
import { isSameText, listResources } from "../state";
import type { State } from "../state";
import { findConfigurationHolding, findGatewayHolding, findHolder } from "./address-holders";
import { checkNetworkName, NETWORK_API_VERSIONS, PUBLIC_IP_ADDRESS_TYPE } from "./network-types";

/** Addresses for documentation (RFC 5737, TEST-NET-3); the last byte runs from 1 to 254. */
const ADDRESS_PREFIX = "203.0.113.";
const MAX_ADDRESSES = 254;

/** Settings that Azure knows and this Azure doesn't. */
const NOT_IMPLEMENTED = [
  "ddosSettings",
  "dnsSettings",
  "linkedPublicIPAddress",
  "publicIPPrefix",
  "servicePublicIPAddress",
] as const;

/**
 * Public IP addresses, Standard only: Basic ones are retired. "Public IP Addresses" REST API,
 * https://learn.microsoft.com/rest/api/virtualnetwork/public-ip-addresses.
 */
export const PUBLIC_IP_ADDRESSES: ResourceType = {
  type: PUBLIC_IP_ADDRESS_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: true,
  isLongRunning: true,
  patch: "tags",

  put({ id, body, properties, existing }, { state }) {
    checkNotGiven(properties, NOT_IMPLEMENTED, "public IP addresses");
    checkNotGiven(body, ["extendedLocation", "zones"], "public IP addresses");
    const settings = { ...properties };
    // Who has the address is set at the other side; here it is only shown.
    delete settings["natGateway"];
    delete settings["ipConfiguration"];
    const sku = readObject(body["sku"], "sku");
    const skuName = readText(sku["name"], "sku.name") ?? "Basic";
    if (!isSameText(skuName, "Standard")) {
      // Message and code: https://github.com/skypilot-org/skypilot/issues/7977.
      throw new AzureError(
        400,
        "IPv4BasicSkuPublicIpCountLimitReached",
        "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
        { details: [] },
      );
    }
    const method = readText(
      properties["publicIPAllocationMethod"],
      "properties.publicIPAllocationMethod",
    );
    if (!isSameText(method, "Static")) {
      throw new AzureError(
        400,
        "StandardAndStandardV2SkuPublicIPAddressesMustBeStatic",
        `Standard sku publicIp ${id} must have AllocationMethod set to Static.`,
        { details: [] },
      );
    }
    return {
      sku: { name: "Standard", tier: sku["tier"] ?? "Regional" },
      properties: {
        publicIPAddressVersion: "IPv4",
        idleTimeoutInMinutes: 4,
        ipTags: [],
        ...settings,
        resourceGuid: existing?.properties["resourceGuid"] ?? randomUUID(),
        publicIPAllocationMethod: "Static",
        ipAddress: existing?.properties["ipAddress"] ?? allocateAddress(state),
      },
    };
  },

  view(address, { state }) {
    const configuration = findConfigurationHolding(state, address.id);
    const gateway = findGatewayHolding(state, address.id);
    return {
      ...address.properties,
      ...(configuration === undefined ? {} : { ipConfiguration: { id: configuration } }),
      ...(gateway === undefined ? {} : { natGateway: { id: gateway } }),
    };
  },

  findUse(address, { state }) {
    const user = findHolder(state, address.id);
    if (user === undefined) return undefined;
    return new AzureError(
      400,
      "PublicIPAddressCannotBeDeleted",
      `Public IP address ${address.id} can not be deleted since it is still allocated to resource ${user}. In order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn how to do this, see aka.ms/deletepublicip.`,
      { details: [] },
    );
  },
};

function allocateAddress(state: State): string {
  const taken = new Set(
    listResources(state, PUBLIC_IP_ADDRESS_TYPE).map(({ properties }) => properties["ipAddress"]),
  );
  for (let last = 1; last <= MAX_ADDRESSES; last += 1) {
    const address = `${ADDRESS_PREFIX}${last}`;
    if (!taken.has(address)) return address;
  }
  throw new AzureError(
    400,
    "PublicIPCountLimitReached",
    `Cannot create more than ${MAX_ADDRESSES} public IP addresses for this subscription in this region.`,
    { details: [] },
  );
}
