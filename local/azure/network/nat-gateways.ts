import { randomUUID } from "node:crypto";

import type { Azure } from "../context";
import { AzureError, notImplemented } from "../errors";
import { readObject, readReference, readText } from "../json";
import { checkNotGiven, getReferenced } from "../references";
import type { ResourceType } from "../resource-type";
import { isSameText, listResources } from "../state";
import type { Resource } from "../state";
import { checkAddressIsFree, listPublicIpAddressIds } from "./address-holders";
import {
  checkNetworkName,
  NAT_GATEWAY_TYPE,
  NETWORK_API_VERSIONS,
  PUBLIC_IP_ADDRESS_TYPE,
  SUBNET_TYPE,
} from "./network-types";

/** NAT gateways. "Nat Gateways" REST API, https://learn.microsoft.com/rest/api/virtualnetwork/nat-gateways. */
export const NAT_GATEWAYS: ResourceType = {
  type: NAT_GATEWAY_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: true,
  isLongRunning: true,
  patch: "tags",

  put({ id, location, body, properties, existing }, azure) {
    const skuName = readText(readObject(body["sku"], "sku")["name"], "sku.name");
    if (!isSameText(skuName, "Standard")) {
      throw notImplemented(`NAT gateways of sku '${skuName ?? ""}', only of 'Standard'`);
    }
    checkNotGiven({ ...body, ...properties }, ["publicIpPrefixes", "zones"], "NAT gateways");
    const publicIpAddresses = listPublicIpAddressIds(properties).map((reference) => {
      const address = getReferenced(azure, PUBLIC_IP_ADDRESS_TYPE, reference, { id, location });
      checkAddressIsFree(azure.state, address, id);
      return { id: address.id };
    });
    return {
      sku: { name: "Standard" },
      properties: {
        idleTimeoutInMinutes: 4,
        ...properties,
        resourceGuid: existing?.properties["resourceGuid"] ?? randomUUID(),
        publicIpAddresses,
      },
    };
  },

  view(gateway, azure) {
    const subnets = listSubnetsOf(gateway, azure).map(({ id }) => ({ id }));
    return subnets.length === 0 ? gateway.properties : { ...gateway.properties, subnets };
  },

  findUse(gateway, azure) {
    const subnets = listSubnetsOf(gateway, azure);
    if (subnets.length === 0) return undefined;
    // Message and code: https://github.com/Azure-Samples/Copilot-Studio-with-Azure-AI-Search/issues/62.
    return new AzureError(
      400,
      "CannotDeleteNatGatewayAssociatedToSubnet",
      `NAT Gateway ${gateway.id} is still configured on ${subnets.length} subnets. Remove NAT Gateway from all referenced subnets and then delete NAT Gateway.`,
      { details: [] },
    );
  },
};

function listSubnetsOf(gateway: Resource, azure: Azure): Resource[] {
  return listResources(azure.state, SUBNET_TYPE).filter(({ properties }) =>
    isSameText(readReference(properties["natGateway"], "natGateway"), gateway.id),
  );
}
