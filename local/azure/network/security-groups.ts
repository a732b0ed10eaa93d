import { randomUUID } from "node:crypto";

import type { Azure } from "../context";
import { AzureError } from "../errors";
import { readObject, readObjects, readReference, readText } from "../json";
import type { JsonObject } from "../json";
import { checkNotGiven } from "../references";
import type { ResourceType } from "../resource-type";
import { isSameText, listResources } from "../state";
import type { Resource } from "../state";
import { checkNoOverlap } from "./address-prefixes";
import {
  checkNetworkName,
  NETWORK_API_VERSIONS,
  NETWORK_INTERFACE_TYPE,
  SECURITY_GROUP_TYPE,
  SUBNET_TYPE,
} from "./network-types";

const MIN_PRIORITY = 100;
const MAX_PRIORITY = 4096;

/**
 * The rules every group has. Columns: name, priority, access, direction, source, destination.
 * "Network security groups", https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules.
 */
const DEFAULT_RULES = [
  ["AllowVnetInBound", 65000, "Allow", "Inbound", "VirtualNetwork", "VirtualNetwork"],
  ["AllowAzureLoadBalancerInBound", 65001, "Allow", "Inbound", "AzureLoadBalancer", "*"],
  ["DenyAllInBound", 65500, "Deny", "Inbound", "*", "*"],
  ["AllowVnetOutBound", 65000, "Allow", "Outbound", "VirtualNetwork", "VirtualNetwork"],
  ["AllowInternetOutBound", 65001, "Allow", "Outbound", "*", "Internet"],
  ["DenyAllOutBound", 65500, "Deny", "Outbound", "*", "*"],
] as const;

/**
 * Network security groups, their rules inline. "Network Security Groups" REST API,
 * https://learn.microsoft.com/rest/api/virtualnetwork/network-security-groups.
 */
export const NETWORK_SECURITY_GROUPS: ResourceType = {
  type: SECURITY_GROUP_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: true,
  isLongRunning: true,
  patch: "tags",

  put({ id, properties, existing }) {
    const rules = readObjects(properties["securityRules"], "properties.securityRules");
    const securityRules = rules.map((rule, index) => createRule(id, rule, index));
    checkPriorities(securityRules);
    const defaultSecurityRules = DEFAULT_RULES.map(
      ([name, priority, access, direction, source, destination]) => ({
        id: `${id}/defaultSecurityRules/${name}`,
        name,
        type: `${SECURITY_GROUP_TYPE}/defaultSecurityRules`,
        properties: {
          provisioningState: "Succeeded",
          protocol: "*",
          sourcePortRange: "*",
          destinationPortRange: "*",
          sourceAddressPrefix: source,
          destinationAddressPrefix: destination,
          access,
          priority,
          direction,
        },
      }),
    );
    return {
      properties: {
        ...properties,
        resourceGuid: existing?.properties["resourceGuid"] ?? randomUUID(),
        securityRules,
        defaultSecurityRules,
      },
    };
  },

  view(group, azure) {
    const { subnets, networkInterfaces } = findUsers(group, azure);
    return {
      ...group.properties,
      ...(subnets.length > 0 ? { subnets: subnets.map(({ id }) => ({ id })) } : {}),
      ...(networkInterfaces.length > 0
        ? { networkInterfaces: networkInterfaces.map(({ id }) => ({ id })) }
        : {}),
    };
  },

  findUse(group, azure) {
    const { subnets, networkInterfaces } = findUsers(group, azure);
    const users = [...networkInterfaces, ...subnets].map(({ id }) => id);
    if (users.length === 0) return undefined;
    return new AzureError(
      400,
      "InUseNetworkSecurityGroupCannotBeDeleted",
      `Network security group ${group.id} cannot be deleted because it is in use by the following resources: ${users.join(", ")}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.`,
      { details: [] },
    );
  },
};

function findUsers(
  group: Resource,
  azure: Azure,
): Record<"subnets" | "networkInterfaces", Resource[]> {
  const isUser = ({ properties }: Resource) =>
    isSameText(readReference(properties["networkSecurityGroup"], "networkSecurityGroup"), group.id);
  return {
    subnets: listResources(azure.state, SUBNET_TYPE).filter(isUser),
    networkInterfaces: listResources(azure.state, NETWORK_INTERFACE_TYPE).filter(isUser),
  };
}

function createRule(groupId: string, rule: JsonObject, index: number): JsonObject {
  const path = `properties.securityRules[${index}]`;
  const name = readText(rule["name"], `${path}.name`) ?? "";
  const properties = readObject(rule["properties"], `${path}.properties`);
  checkNotGiven(
    properties,
    ["destinationApplicationSecurityGroups", "sourceApplicationSecurityGroups"],
    "security rules",
  );
  const priority = properties["priority"];
  if (typeof priority !== "number" || priority < MIN_PRIORITY || priority > MAX_PRIORITY) {
    throw new AzureError(
      400,
      "SecurityRuleInvalidPriority",
      `Security rule has invalid Priority. Value provided: ${String(priority)} Allowed range ${MIN_PRIORITY}-${MAX_PRIORITY}.`,
      { details: [] },
    );
  }
  const id = `${groupId}/securityRules/${name}`;
  checkNoOverlap(id, properties);
  return {
    id,
    name,
    type: `${SECURITY_GROUP_TYPE}/securityRules`,
    etag: `W/"${randomUUID()}"`,
    properties: { ...properties, provisioningState: "Succeeded" },
  };
}

function checkPriorities(rules: readonly JsonObject[]): void {
  const seen = new Map<string, string>();
  for (const { name, properties } of rules) {
    const { priority, direction } = readObject(properties, "properties");
    const key = `${String(direction)} ${String(priority)}`.toLowerCase();
    const other = seen.get(key);
    if (other !== undefined) {
      throw new AzureError(
        400,
        "SecurityRuleConflict",
        `Security rule ${String(name)} conflicts with rule ${other}. Rules cannot have the same Priority and Direction.`,
        { details: [] },
      );
    }
    seen.set(key, String(name));
  }
}
