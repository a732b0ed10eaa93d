import { DISKS } from "./compute/disks";
import { RUN_COMMANDS } from "./compute/run-commands";
import { VIRTUAL_MACHINES } from "./compute/virtual-machines";
import { USER_ASSIGNED_IDENTITIES } from "./managed-identities";
import { NAT_GATEWAYS } from "./network/nat-gateways";
import { NETWORK_INTERFACES } from "./network/network-interfaces";
import { PUBLIC_IP_ADDRESSES } from "./network/public-ip-addresses";
import { NETWORK_SECURITY_GROUPS } from "./network/security-groups";
import { SUBNETS } from "./network/subnets";
import { VIRTUAL_NETWORKS } from "./network/virtual-networks";
import type { ResourceType } from "./resource-type";

/** All types of resources that a resource group can hold here. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  USER_ASSIGNED_IDENTITIES,
  VIRTUAL_NETWORKS,
  SUBNETS,
  NETWORK_SECURITY_GROUPS,
  PUBLIC_IP_ADDRESSES,
  NAT_GATEWAYS,
  NETWORK_INTERFACES,
  DISKS,
  VIRTUAL_MACHINES,
  RUN_COMMANDS,
];
