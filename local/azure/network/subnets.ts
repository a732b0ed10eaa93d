import type { Azure } from "../context";
import { AzureError } from "../errors";
import { readReference, readText, readTexts } from "../json";
import type { JsonObject } from "../json";
import { checkNotGiven, getReferenced } from "../references";
import type { PutRequest, ResourceType } from "../resource-type";
import { findResource, isSameText, listBelow } from "../state";
import type { Resource } from "../state";
import { listIpConfigurations } from "./ip-configurations";
import { contains, overlaps, readRange } from "./ip-ranges";
import type { IpRange } from "./ip-ranges";
import {
  checkNetworkName,
  NAT_GATEWAY_TYPE,
  NETWORK_API_VERSIONS,
  SECURITY_GROUP_TYPE,
  SUBNET_TYPE,
} from "./network-types";

/** Settings that name what this Azure hasn't, and what comes with them. */
const NOT_IMPLEMENTED = [
  "applicationGatewayIPConfigurations",
  "delegations",
  "ipAllocations",
  "ipamPoolPrefixAllocations",
  "routeTable",
  "serviceEndpointPolicies",
  "sharingScope",
] as const;

/** Subnets. "Subnets" REST API, https://learn.microsoft.com/rest/api/virtualnetwork/subnets. */
export const SUBNETS: ResourceType = {
  type: SUBNET_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: false,
  isLongRunning: true,

  put(request, azure) {
    const networkId = getNetworkId(request.id);
    const network = findResource(azure.state, networkId);
    if (network === undefined) throw new Error(`No network ${networkId}.`);
    const properties = createSubnetProperties(request, network, azure);
    const siblings = listBelow(azure.state, networkId).filter(
      (one) => one.type === SUBNET_TYPE && !isSameText(one.id, request.id),
    );
    checkNoOverlap({ ...request, properties }, siblings, network.name);
    return { properties };
  },

  view(subnet, azure) {
    const users = listIpConfigurations(azure.state).filter(({ subnetId }) =>
      isSameText(subnetId, subnet.id),
    );
    if (users.length === 0) return subnet.properties;
    return { ...subnet.properties, ipConfigurations: users.map(({ id }) => ({ id })) };
  },

  findUse(subnet, azure) {
    const user = listIpConfigurations(azure.state).find(({ subnetId }) =>
      isSameText(subnetId, subnet.id),
    );
    if (user === undefined) return undefined;
    return new AzureError(
      400,
      "InUseSubnetCannotBeDeleted",
      `Subnet ${subnet.name} is in use by ${user.id} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
      { details: [] },
    );
  },
};

/** The address ranges of a subnet. */
export function getSubnetRanges({
  id,
  properties,
}: Pick<Resource, "id" | "properties">): IpRange[] {
  const prefix = readText(properties["addressPrefix"], "properties.addressPrefix");
  const prefixes = readTexts(properties["addressPrefixes"], "properties.addressPrefixes");
  return (prefix === undefined ? prefixes : [prefix]).map((text) => readRange(text, id));
}

/**
 * The properties of a subnet as a PUT wants them, its references and its place in the network
 * checked.
 * @throws AzureError for what Azure refuses
 */
export function createSubnetProperties(
  { id, name, properties }: Pick<PutRequest, "id" | "name" | "properties">,
  network: Resource,
  azure: Azure,
): JsonObject {
  checkNotGiven(properties, NOT_IMPLEMENTED, "subnets");
  const referrer = { id, location: network.location ?? "" };
  const natGateway = readReference(properties["natGateway"], "properties.natGateway");
  const securityGroup = readReference(
    properties["networkSecurityGroup"],
    "properties.networkSecurityGroup",
  );
  const created: JsonObject = {
    ...properties,
    delegations: properties["delegations"] ?? [],
    privateEndpointNetworkPolicies: properties["privateEndpointNetworkPolicies"] ?? "Disabled",
    privateLinkServiceNetworkPolicies: properties["privateLinkServiceNetworkPolicies"] ?? "Enabled",
    natGateway: natGateway && {
      id: getReferenced(azure, NAT_GATEWAY_TYPE, natGateway, referrer).id,
    },
    networkSecurityGroup: securityGroup && {
      id: getReferenced(azure, SECURITY_GROUP_TYPE, securityGroup, referrer).id,
    },
  };
  const ranges = getSubnetRanges({ id, properties });
  if (ranges.length === 0) {
    throw new AzureError(
      400,
      "InvalidRequestFormat",
      `Cannot parse the request: subnet ${name} has neither addressPrefix nor addressPrefixes.`,
      { details: [] },
    );
  }
  checkKeepsUsedRanges({ id, name }, ranges, azure);
  const networkRanges = readNetworkRanges(network);
  for (const range of ranges) {
    if (!networkRanges.some((outer) => contains(outer, range))) {
      throw subnetOutsideNetwork(name, network.name);
    }
  }
  return created;
}

/**
 * Checks that a subnet in use keeps the ranges it has: Azure takes no change of them, not even to larger
 * ones. Code and message as public repositories quote them from the Azure CLI.
 */
function checkKeepsUsedRanges(
  { id, name }: Pick<Resource, "id" | "name">,
  ranges: readonly IpRange[],
  azure: Azure,
): void {
  const existing = findResource(azure.state, id);
  if (existing === undefined || SUBNETS.findUse?.(existing, azure) === undefined) return;
  const isKept = getSubnetRanges(existing).every(({ first, last }) =>
    ranges.some((range) => range.first === first && range.last === last),
  );
  if (isKept) return;
  const { addressPrefix, addressPrefixes } = existing.properties;
  throw new AzureError(
    400,
    "InUsePrefixCannotBeDeleted",
    `IpPrefix ${String(addressPrefix ?? addressPrefixes)} on Subnet ${name} has active allocations and cannot be deleted.`,
    { details: [] },
  );
}

/** @throws AzureError 400 NetcfgSubnetRangesOverlap when the subnet shares addresses with another */
export function checkNoOverlap(
  subnet: Pick<Resource, "id" | "name" | "properties">,
  others: readonly Resource[],
  networkName: string,
): void {
  const ranges = getSubnetRanges(subnet);
  const other = others.find((one) =>
    getSubnetRanges(one).some((taken) => ranges.some((range) => overlaps(taken, range))),
  );
  if (other === undefined) return;
  throw new AzureError(
    400,
    "NetcfgSubnetRangesOverlap",
    `Subnet '${subnet.name}' is not valid because its IP address range overlaps with that of an existing subnet '${other.name}' in virtual network '${networkName}'.`,
    { details: [] },
  );
}

/** 400 for a subnet that isn't wholly in its network's address space. */
export function subnetOutsideNetwork(subnetName: string, networkName: string): AzureError {
  return new AzureError(
    400,
    "NetcfgSubnetRangeOutsideVnet",
    `Subnet '${subnetName}' is not valid because its IP address range is outside the IP address range of virtual network '${networkName}'.`,
    { details: [] },
  );
}

function readNetworkRanges(network: Resource): IpRange[] {
  const { addressSpace } = network.properties as {
    addressSpace: { addressPrefixes: string[] };
  };
  return addressSpace.addressPrefixes.map((prefix) => readRange(prefix, network.id));
}

function getNetworkId(subnetId: string): string {
  return subnetId.split("/").slice(0, -2).join("/");
}
