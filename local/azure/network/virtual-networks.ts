import { randomUUID } from "node:crypto";

import type { Azure } from "../context";
import { AzureError } from "../errors";
import { readObject, readObjects, readText, readTexts } from "../json";
import type { JsonObject } from "../json";
import { checkNotGiven } from "../references";
import type { ResourceType } from "../resource-type";
import { isSameText, listBelow, removeResource, storeResource } from "../state";
import type { Resource } from "../state";
import { contains, readRange } from "./ip-ranges";
import {
  checkNetworkName,
  NETWORK_API_VERSIONS,
  SUBNET_TYPE,
  VIRTUAL_NETWORK_TYPE,
} from "./network-types";
import {
  checkNoOverlap,
  createSubnetProperties,
  getSubnetRanges,
  SUBNETS,
  subnetOutsideNetwork,
} from "./subnets";

/** Settings that name what this Azure hasn't. */
const NOT_IMPLEMENTED = [
  "ddosProtectionPlan",
  "extendedLocation",
  "ipAllocations",
  "virtualNetworkPeerings",
] as const;

/**
 * Virtual networks. "Virtual Networks" REST API,
 * https://learn.microsoft.com/rest/api/virtualnetwork/virtual-networks. A PUT without `subnets`
 * leaves them alone, one with a list replaces them:
 * https://techcommunity.microsoft.com/blog/azurenetworkingblog/azure-virtual-network-now-supports-updates-without-subnet-property/4067952.
 */
export const VIRTUAL_NETWORKS: ResourceType = {
  type: VIRTUAL_NETWORK_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: true,
  isLongRunning: true,
  patch: "tags",

  put({ id, name, body, properties, location, existing }, azure) {
    checkNotGiven({ ...body, ...properties }, NOT_IMPLEMENTED, "virtual networks");
    const addressSpace = readObject(properties["addressSpace"], "properties.addressSpace");
    const prefixes = readTexts(
      addressSpace["addressPrefixes"],
      "properties.addressSpace.addressPrefixes",
    );
    if (prefixes.length === 0) {
      throw new AzureError(
        400,
        "InvalidRequestFormat",
        "Cannot parse the request: addressSpace.addressPrefixes is required.",
        { details: [] },
      );
    }
    const { subnets: listed, ...rest } = properties;
    const network: Resource = {
      id,
      name,
      type: VIRTUAL_NETWORK_TYPE,
      location,
      properties: {
        ...rest,
        addressSpace: { ...addressSpace, addressPrefixes: prefixes },
        resourceGuid: existing?.properties["resourceGuid"] ?? randomUUID(),
        enableDdosProtection: properties["enableDdosProtection"] ?? false,
        virtualNetworkPeerings: [],
      },
    };
    const ranges = prefixes.map((prefix) => readRange(prefix, id));
    const kept = listSubnets(azure, id);
    if (listed === undefined || listed === null) {
      for (const subnet of kept) {
        const isInside = getSubnetRanges(subnet).every((range) =>
          ranges.some((outer) => contains(outer, range)),
        );
        if (!isInside) throw subnetOutsideNetwork(subnet.name, name);
      }
    } else {
      replaceSubnets(azure, network, readObjects(listed, "properties.subnets"), kept);
    }
    return { properties: network.properties };
  },

  view(network, azure) {
    const subnets = listSubnets(azure, network.id).map((subnet) => ({
      id: subnet.id,
      name: subnet.name,
      type: subnet.type,
      etag: subnet.etag,
      properties: SUBNETS.view?.(subnet, azure, {}) ?? subnet.properties,
    }));
    return { ...network.properties, subnets };
  },

  findUse(network, azure) {
    for (const subnet of listSubnets(azure, network.id)) {
      const use = SUBNETS.findUse?.(subnet, azure);
      if (use !== undefined) return use;
    }
    return undefined;
  },
};

function listSubnets(azure: Azure, networkId: string): Resource[] {
  return listBelow(azure.state, networkId).filter(({ type }) => type === SUBNET_TYPE);
}

/** Puts the listed subnets in place of those that are there; all are checked before any changes. */
function replaceSubnets(
  azure: Azure,
  network: Resource,
  listed: readonly JsonObject[],
  kept: readonly Resource[],
): void {
  const subnets = listed.map((item, index): Resource => {
    const name = readText(item["name"], `properties.subnets[${index}].name`) ?? "";
    checkNetworkName(name);
    const id = `${network.id}/subnets/${name}`;
    const properties = readObject(item["properties"], `properties.subnets[${index}].properties`);
    const put = { id, name, properties };
    return {
      id,
      name,
      type: SUBNET_TYPE,
      etag: `W/"${randomUUID()}"`,
      properties: {
        ...createSubnetProperties(put, network, azure),
        provisioningState: "Succeeded",
      },
    };
  });
  subnets.forEach((subnet, index) => {
    checkNoOverlap(subnet, subnets.slice(0, index), network.name);
  });
  const dropped = kept.filter(({ name }) => !subnets.some((one) => isSameText(one.name, name)));
  for (const subnet of dropped) {
    const use = SUBNETS.findUse?.(subnet, azure);
    if (use !== undefined) throw use;
  }
  for (const subnet of dropped) removeResource(azure.state, subnet.id);
  for (const subnet of subnets) storeResource(azure.state, subnet);
}
