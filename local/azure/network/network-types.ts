import { AzureError } from "../errors";

/** Type of virtual networks, in Azure's casing as all here. */
export const VIRTUAL_NETWORK_TYPE = "Microsoft.Network/virtualNetworks";
/** Type of subnets, children of virtual networks. */
export const SUBNET_TYPE = "Microsoft.Network/virtualNetworks/subnets";
/** Type of network security groups. */
export const SECURITY_GROUP_TYPE = "Microsoft.Network/networkSecurityGroups";
/** Type of public IP addresses. */
export const PUBLIC_IP_ADDRESS_TYPE = "Microsoft.Network/publicIPAddresses";
/** Type of NAT gateways. */
export const NAT_GATEWAY_TYPE = "Microsoft.Network/natGateways";
/** Type of network interfaces. */
export const NETWORK_INTERFACE_TYPE = "Microsoft.Network/networkInterfaces";

/** The version that @azure/arm-network 33.5 and azure-native 3 send, and one older. */
export const NETWORK_API_VERSIONS: readonly string[] = ["2023-11-01", "2024-05-01"];

/**
 * Checks the name of a network resource.
 * @throws AzureError 400 InvalidResourceName
 */
export function checkNetworkName(name: string): void {
  if (/^\w([\w.-]{0,78}\w)?$/.test(name)) return;
  throw new AzureError(
    400,
    "InvalidResourceName",
    `Resource name ${name} is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'.`,
    { details: [] },
  );
}
