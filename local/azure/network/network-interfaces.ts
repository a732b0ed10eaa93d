import { randomUUID } from "node:crypto";
import { isIPv4 } from "node:net";

import { findVirtualMachineOf } from "../compute/network-profile";
import type { Azure } from "../context";
import { AzureError, notImplemented } from "../errors";
import { readObject, readObjects, readReference, readText } from "../json";
import type { JsonObject } from "../json";
import { checkNotGiven, getReferenced } from "../references";
import type { ResourceType } from "../resource-type";
import { isSameText } from "../state";
import type { Resource, State } from "../state";
import { checkAddressIsFree } from "./address-holders";
import { listIpConfigurations } from "./ip-configurations";
import { toAddress, toNumber } from "./ip-ranges";
import {
  checkNetworkName,
  NETWORK_API_VERSIONS,
  NETWORK_INTERFACE_TYPE,
  PUBLIC_IP_ADDRESS_TYPE,
  SECURITY_GROUP_TYPE,
  SUBNET_TYPE,
} from "./network-types";
import { getSubnetRanges } from "./subnets";

/** Azure keeps a subnet's first four addresses and its last for itself. */
const RESERVED_AT_START = 4;

/** Settings of an IP configuration that name what this Azure hasn't. */
const NOT_IMPLEMENTED = [
  "applicationGatewayBackendAddressPools",
  "applicationSecurityGroups",
  "gatewayLoadBalancer",
  "loadBalancerBackendAddressPools",
  "loadBalancerInboundNatRules",
  "virtualNetworkTaps",
] as const;

/**
 * Network interfaces. "Network Interfaces" REST API,
 * https://learn.microsoft.com/rest/api/virtualnetwork/network-interfaces.
 */
export const NETWORK_INTERFACES: ResourceType = {
  type: NETWORK_INTERFACE_TYPE,
  apiVersions: NETWORK_API_VERSIONS,
  checkName: checkNetworkName,
  isTracked: true,
  isLongRunning: true,
  patch: "tags",

  put({ id, location, body, properties, existing }, azure) {
    checkNotGiven({ ...body, ...properties }, ["extendedLocation", "privateLinkService"], "NICs");
    const path = "properties.ipConfigurations";
    const wanted = readObjects(properties["ipConfigurations"], path);
    if (wanted.length > 1)
      throw notImplemented("Network interfaces with several IP configurations");
    if (wanted.length === 0) {
      throw new AzureError(
        400,
        "NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
        `Network interface ${id} must have one or more IP configurations.`,
        { details: [] },
      );
    }
    const securityGroup = readReference(
      properties["networkSecurityGroup"],
      "properties.networkSecurityGroup",
    );
    const referrer = { id, location };
    return {
      properties: {
        enableAcceleratedNetworking: false,
        enableIPForwarding: false,
        dnsSettings: { dnsServers: [], appliedDnsServers: [] },
        ...properties,
        resourceGuid: existing?.properties["resourceGuid"] ?? randomUUID(),
        networkSecurityGroup: securityGroup && {
          id: getReferenced(azure, SECURITY_GROUP_TYPE, securityGroup, referrer).id,
        },
        ipConfigurations: wanted.map((one, index) =>
          createIpConfiguration(one, `${path}[${index}]`, { ...referrer, index, existing }, azure),
        ),
        nicType: "Standard",
        tapConfigurations: [],
        hostedWorkloads: [],
      },
    };
  },

  view(networkInterface, { state }) {
    const virtualMachine = findVirtualMachineOf(state, networkInterface.id);
    if (virtualMachine === undefined) return networkInterface.properties;
    return {
      ...networkInterface.properties,
      virtualMachine: { id: virtualMachine.id },
      primary: true,
      macAddress: getMacAddress(networkInterface),
    };
  },

  findUse(networkInterface, { state }) {
    const virtualMachine = findVirtualMachineOf(state, networkInterface.id);
    if (virtualMachine === undefined) return undefined;
    // Message and code: https://github.com/hashicorp/terraform/issues/18127.
    return new AzureError(
      400,
      "NicInUse",
      `Network Interface ${networkInterface.id} is used by existing resource ${virtualMachine.id}. In order to delete the network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic.`,
      { details: [] },
    );
  },
};

/** A network interface's hardware address, as the guest sees it: always the same for the same id. */
export function getMacAddress(networkInterface: Resource): string {
  const hex = String(networkInterface.properties["resourceGuid"]).replaceAll("-", "");
  return `000D3A${hex.slice(0, 6).toUpperCase()}`.replaceAll(/(..)(?=.)/g, "$1-");
}

interface Owner {
  id: string;
  location: string;
  index: number;
  existing: Resource | undefined;
}

function createIpConfiguration(
  wanted: JsonObject,
  path: string,
  owner: Owner,
  azure: Azure,
): JsonObject {
  const name = readText(wanted["name"], `${path}.name`) ?? `ipconfig${owner.index + 1}`;
  const id = `${owner.id}/ipConfigurations/${name}`;
  const properties = readObject(wanted["properties"], `${path}.properties`);
  checkNotGiven(properties, NOT_IMPLEMENTED, "IP configurations");
  const subnetId = readReference(properties["subnet"], `${path}.properties.subnet`);
  if (subnetId === undefined) {
    throw new AzureError(
      400,
      "SubnetIsRequiredForIpConfiguration",
      `IP configuration ${id} must reference a subnet.`,
      { details: [] },
    );
  }
  const subnet = getReferenced(azure, SUBNET_TYPE, subnetId, owner);
  const publicId = readReference(
    properties["publicIPAddress"],
    `${path}.properties.publicIPAddress`,
  );
  const publicAddress =
    publicId === undefined
      ? undefined
      : getReferenced(azure, PUBLIC_IP_ADDRESS_TYPE, publicId, owner);
  if (publicAddress !== undefined) checkAddressIsFree(azure.state, publicAddress, id);
  const method = readText(
    properties["privateIPAllocationMethod"],
    `${path}.properties.privateIPAllocationMethod`,
  );
  const requested = isSameText(method, "Static")
    ? readText(properties["privateIPAddress"], `${path}.properties.privateIPAddress`)
    : undefined;
  return {
    id,
    name,
    type: `${NETWORK_INTERFACE_TYPE}/ipConfigurations`,
    etag: `W/"${randomUUID()}"`,
    properties: {
      privateIPAddressVersion: "IPv4",
      ...properties,
      primary: properties["primary"] ?? owner.index === 0,
      privateIPAllocationMethod: requested === undefined ? "Dynamic" : "Static",
      privateIPAddress: choosePrivateAddress(azure.state, subnet, id, requested),
      subnet: { id: subnet.id },
      publicIPAddress: publicAddress && { id: publicAddress.id },
      provisioningState: "Succeeded",
    },
  };
}

/** The requested address if it is free, the one that is held already, or else the first free one. */
function choosePrivateAddress(
  state: State,
  subnet: Resource,
  configurationId: string,
  requested: string | undefined,
): string {
  const inSubnet = listIpConfigurations(state).filter((one) => isSameText(one.subnetId, subnet.id));
  const held = inSubnet.find((one) => isSameText(one.id, configurationId))?.privateIpAddress;
  const taken = inSubnet
    .filter((one) => !isSameText(one.id, configurationId))
    .map((one) => one.privateIpAddress);
  const [range] = getSubnetRanges(subnet);
  if (range === undefined) throw new Error(`Subnet ${subnet.id} has no range.`);
  const first = range.first + RESERVED_AT_START;
  const last = range.last - 1;
  if (requested !== undefined) {
    if (!isIPv4(requested)) {
      // The code is inferred.
      throw refuseAddress("InvalidIPAddressFormat", requested, subnet, "cannot be parsed for");
    }
    const value = toNumber(requested);
    if (value < range.first || value > range.last) {
      throw refuseAddress("PrivateIPAddressNotInSubnet", requested, subnet, "is not within");
    }
    if (value < first || value > last) {
      throw refuseAddress("PrivateIPAddressInReservedRange", requested, subnet, "is reserved in");
    }
    if (taken.includes(requested)) {
      throw refuseAddress("PrivateIPAddressIsAllocated", requested, subnet, "is taken in");
    }
    return requested;
  }
  if (held !== undefined) return held;
  for (let value = first; value <= last; value += 1) {
    const address = toAddress(value);
    if (!taken.includes(address)) return address;
  }
  throw new AzureError(
    400,
    "SubnetIsFull",
    `Subnet ${subnet.name} with address prefix ${String(subnet.properties["addressPrefix"])} does not have enough capacity for 1 IP addresses.`,
    { details: [] },
  );
}

function refuseAddress(code: string, address: string, subnet: Resource, why: string): AzureError {
  return new AzureError(400, code, `Private IP address ${address} ${why} subnet ${subnet.id}.`, {
    details: [],
  });
}
