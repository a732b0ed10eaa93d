import { describe, expect, it } from "vitest";

import type { LocalAzure } from "../../../local/azure";
import {
  callArm,
  createClients,
  createNetwork,
  FAST,
  getRefusal,
  GROUP,
  LOCATION,
  startForTest,
} from "./fixtures";
import type { Clients, VmStack } from "./fixtures";

type NetworkStack = Awaited<ReturnType<typeof createNetwork>>;

async function startWithNetwork(): Promise<{
  azure: LocalAzure;
  clients: Clients;
  stack: NetworkStack;
}> {
  const azure = await startForTest();
  const clients = createClients(azure);
  return { azure, clients, stack: await createNetwork(clients) };
}

/** PUT of a network resource; the code of the refusal, or "" with 2xx. */
async function put(azure: LocalAzure, path: string, body: object): Promise<string> {
  const answer = await callArm(
    azure,
    `/resourceGroups/${GROUP}/providers/Microsoft.Network/${path}?api-version=2024-05-01`,
    { method: "PUT", body: { location: LOCATION, ...body } },
  );
  return `${answer.status} ${answer.body.error?.code ?? ""}`.trim();
}

describe("the network of the stack", () => {
  it("shows who refers to whom", async () => {
    const { clients, stack } = await startWithNetwork();
    const { network } = clients;
    const [address, gateway, securityGroup, vnet] = await Promise.all([
      network.publicIPAddresses.get(GROUP, "pip-test"),
      network.natGateways.get(GROUP, "nat-test"),
      network.networkSecurityGroups.get(GROUP, "nsg-test"),
      network.virtualNetworks.get(GROUP, "vnet-test"),
    ]);
    const subnet = { id: stack.subnetId };
    expect(address.natGateway).toMatchObject({ id: stack.natGatewayId });
    expect(gateway.publicIpAddresses).toEqual([{ id: stack.publicIpAddressId }]);
    expect(gateway.subnets).toEqual([subnet]);
    expect(securityGroup.subnets).toMatchObject([subnet]);
    expect(vnet.subnets).toMatchObject([
      {
        ...subnet,
        name: "snet-test",
        addressPrefix: "10.0.1.0/24",
        defaultOutboundAccess: false,
        natGateway: { id: stack.natGatewayId },
        networkSecurityGroup: { id: stack.securityGroupId },
        ipConfigurations: [{ id: `${stack.networkInterfaceId}/ipConfigurations/main` }],
        provisioningState: "Succeeded",
      },
    ]);
  });

  it("gives addresses out: public ones, and a subnet's own from the fifth on", async () => {
    const { azure, clients, stack } = await startWithNetwork();
    const { network } = clients;
    expect((await network.publicIPAddresses.get(GROUP, "pip-test")).ipAddress).toBe("203.0.113.1");
    const subnet = { id: stack.subnetId };
    const body = { properties: { ipConfigurations: [{ name: "a", properties: { subnet } }] } };
    expect(await put(azure, "networkInterfaces/nic-2", body)).toBe("201");
    const addresses = await Promise.all(
      ["nic-test", "nic-2"].map(async (name) => {
        const { ipConfigurations = [] } = await network.networkInterfaces.get(GROUP, name);
        return ipConfigurations[0]?.privateIPAddress;
      }),
    );
    expect(addresses).toEqual(["10.0.1.4", "10.0.1.5"]);
    // Put again, it keeps its address, though a lower one has come free.
    await network.networkInterfaces.beginDeleteAndWait(GROUP, "nic-test", FAST);
    expect(await put(azure, "networkInterfaces/nic-2", body)).toBe("200");
    const again = await network.networkInterfaces.get(GROUP, "nic-2");
    expect(again.ipConfigurations?.[0]?.privateIPAddress).toBe("10.0.1.5");
  });

  it("has a security group that lets nothing in from outside by default", async () => {
    const { clients } = await startWithNetwork();
    const { securityRules, defaultSecurityRules = [] } =
      await clients.network.networkSecurityGroups.get(GROUP, "nsg-test");
    expect(securityRules).toEqual([]);
    expect(
      defaultSecurityRules.map(({ name, priority, access, direction }) =>
        [direction, priority, access, name].join(" "),
      ),
    ).toEqual([
      "Inbound 65000 Allow AllowVnetInBound",
      "Inbound 65001 Allow AllowAzureLoadBalancerInBound",
      "Inbound 65500 Deny DenyAllInBound",
      "Outbound 65000 Allow AllowVnetOutBound",
      "Outbound 65001 Allow AllowInternetOutBound",
      "Outbound 65500 Deny DenyAllOutBound",
    ]);
  });

  it.each<[string, (clients: Clients) => Promise<unknown>, string]>([
    [
      "a subnet with a NIC",
      ({ network }) => network.subnets.beginDeleteAndWait(GROUP, "vnet-test", "snet-test"),
      "400 InUseSubnetCannotBeDeleted",
    ],
    [
      "a network with a NIC",
      ({ network }) => network.virtualNetworks.beginDeleteAndWait(GROUP, "vnet-test"),
      "400 InUseSubnetCannotBeDeleted",
    ],
    [
      "a security group on a subnet",
      ({ network }) => network.networkSecurityGroups.beginDeleteAndWait(GROUP, "nsg-test"),
      "400 InUseNetworkSecurityGroupCannotBeDeleted",
    ],
    [
      "a NAT gateway on a subnet",
      ({ network }) => network.natGateways.beginDeleteAndWait(GROUP, "nat-test"),
      "400 CannotDeleteNatGatewayAssociatedToSubnet",
    ],
    [
      "a NAT gateway's public address",
      ({ network }) => network.publicIPAddresses.beginDeleteAndWait(GROUP, "pip-test"),
      "400 PublicIPAddressCannotBeDeleted",
    ],
  ])("keeps %s from being deleted", async (_, remove, expected) => {
    const { azure, clients } = await startWithNetwork();
    const before = azure.listResourceIds();
    expect(await getRefusal(remove(clients))).toBe(expected);
    expect(azure.listResourceIds()).toEqual(before);
  });

  it("is deleted in the right order, leaving the group alone", async () => {
    const { azure, clients } = await startWithNetwork();
    const { network } = clients;
    await network.networkInterfaces.beginDeleteAndWait(GROUP, "nic-test", FAST);
    await network.subnets.beginDeleteAndWait(GROUP, "vnet-test", "snet-test", FAST);
    await network.natGateways.beginDeleteAndWait(GROUP, "nat-test", FAST);
    await network.publicIPAddresses.beginDeleteAndWait(GROUP, "pip-test", FAST);
    await network.networkSecurityGroups.beginDeleteAndWait(GROUP, "nsg-test", FAST);
    await network.virtualNetworks.beginDeleteAndWait(GROUP, "vnet-test", FAST);
    expect(azure.listResourceIds()).toEqual([
      `/subscriptions/${azure.subscriptionId}/resourceGroups/${GROUP}`,
    ]);
    expect(await getRefusal(network.natGateways.beginDeleteAndWait(GROUP, "nat-test"))).toBe(
      "no refusal",
    );
  });
});

describe("Microsoft.Network refuses", () => {
  const subnetOf = (stack: Partial<VmStack>) => ({ subnet: { id: stack.subnetId } });

  it.each<[string, string, (stack: NetworkStack) => object, string]>([
    ["a name with a space", "natGateways/n%20x", () => ({}), "400 InvalidResourceName"],
    ["a network without addresses", "virtualNetworks/v", () => ({}), "400 InvalidRequestFormat"],
    [
      "a range that doesn't start where it should",
      "virtualNetworks/v",
      () => ({ properties: { addressSpace: { addressPrefixes: ["10.0.0.1/16"] } } }),
      "400 InvalidCIDRNotation",
    ],
    [
      "a range that isn't one",
      "virtualNetworks/v",
      () => ({ properties: { addressSpace: { addressPrefixes: ["10.0.0/16"] } } }),
      "400 InvalidAddressPrefixFormat",
    ],
    [
      "a network that shrinks away from its subnet",
      "virtualNetworks/vnet-test",
      () => ({ properties: { addressSpace: { addressPrefixes: ["10.1.0.0/16"] } } }),
      "400 NetcfgSubnetRangeOutsideVnet",
    ],
    [
      "a list of subnets without one in use",
      "virtualNetworks/vnet-test",
      () => ({ properties: { addressSpace: { addressPrefixes: ["10.0.0.0/16"] }, subnets: [] } }),
      "400 InUseSubnetCannotBeDeleted",
    ],
    [
      "overlapping subnets in one list",
      "virtualNetworks/v",
      () => ({
        properties: {
          addressSpace: { addressPrefixes: ["10.0.0.0/16"] },
          subnets: [
            { name: "a", properties: { addressPrefix: "10.0.0.0/24" } },
            { name: "b", properties: { addressPrefix: "10.0.0.128/25" } },
          ],
        },
      }),
      "400 NetcfgSubnetRangesOverlap",
    ],
    [
      "a subnet in no network",
      "virtualNetworks/nowhere/subnets/s",
      () => ({ properties: { addressPrefix: "10.0.2.0/24" } }),
      "404 ParentResourceNotFound",
    ],
    [
      "a subnet without a range",
      "virtualNetworks/vnet-test/subnets/s",
      () => ({ properties: {} }),
      "400 InvalidRequestFormat",
    ],
    [
      "a subnet outside its network",
      "virtualNetworks/vnet-test/subnets/s",
      () => ({ properties: { addressPrefix: "10.1.0.0/24" } }),
      "400 NetcfgSubnetRangeOutsideVnet",
    ],
    [
      "a subnet over another",
      "virtualNetworks/vnet-test/subnets/s",
      () => ({ properties: { addressPrefix: "10.0.0.0/23" } }),
      "400 NetcfgSubnetRangesOverlap",
    ],
    [
      "another range for a subnet with a NIC, though the NIC is in it",
      "virtualNetworks/vnet-test/subnets/snet-test",
      () => ({ properties: { addressPrefix: "10.0.0.0/23" } }),
      "400 InUsePrefixCannotBeDeleted",
    ],
    [
      "another range for a subnet with a NIC, in a list of subnets",
      "virtualNetworks/vnet-test",
      () => ({
        properties: {
          addressSpace: { addressPrefixes: ["10.0.0.0/16"] },
          subnets: [{ name: "snet-test", properties: { addressPrefix: "10.0.2.0/24" } }],
        },
      }),
      "400 InUsePrefixCannotBeDeleted",
    ],
    [
      "a NIC in another region than its subnet",
      "networkInterfaces/n",
      (stack) => ({
        location: "northeurope",
        properties: { ipConfigurations: [{ name: "a", properties: subnetOf(stack) }] },
      }),
      "400 InvalidResourceReference",
    ],
    ...(
      [
        ["virtualNetworks/vnet-test/subnets/s", "routeTable", { id: "/x" }],
        ["virtualNetworks/vnet-test/subnets/s", "delegations", [{ name: "a" }]],
        ["virtualNetworks/v", "ddosProtectionPlan", { id: "/x" }],
        ["publicIPAddresses/p", "publicIPPrefix", { id: "/x" }],
        ["natGateways/n", "publicIpPrefixes", [{ id: "/x" }]],
        ["networkInterfaces/n", "privateLinkService", { id: "/x" }],
      ] as const
    ).map(([path, name, value]): [string, string, (stack: NetworkStack) => object, string] => [
      `what this Azure doesn't know: ${name}`,
      path,
      () => ({ sku: { name: "Standard" }, properties: { [name]: value } }),
      "501 NotImplemented",
    ]),
    [
      "what this Azure doesn't know: application security groups of a NIC",
      "networkInterfaces/n",
      (stack) => ({
        properties: {
          ipConfigurations: [
            {
              name: "a",
              properties: { ...subnetOf(stack), applicationSecurityGroups: [{ id: "/x" }] },
            },
          ],
        },
      }),
      "501 NotImplemented",
    ],
    [
      "what this Azure doesn't know: application security groups of a rule",
      "networkSecurityGroups/g",
      () => ({
        properties: {
          securityRules: [
            {
              name: "r",
              properties: { priority: 100, sourceApplicationSecurityGroups: [{ id: "/x" }] },
            },
          ],
        },
      }),
      "501 NotImplemented",
    ],
    ...["publicIPAddresses/p", "natGateways/n"].map(
      (path): [string, string, (stack: NetworkStack) => object, string] => [
        `what this Azure doesn't know: zones of ${path}`,
        path,
        () => ({ sku: { name: "Standard" }, zones: ["1"], properties: {} }),
        "501 NotImplemented",
      ],
    ),
    [
      "a subnet with a NAT gateway that isn't there",
      "virtualNetworks/vnet-test/subnets/s",
      ({ natGatewayId }) => ({
        properties: { addressPrefix: "10.0.2.0/24", natGateway: { id: `${natGatewayId}x` } },
      }),
      "400 InvalidResourceReference",
    ],
    [
      "a NAT gateway in place of a security group",
      "virtualNetworks/vnet-test/subnets/s",
      ({ natGatewayId }) => ({
        properties: { addressPrefix: "10.0.2.0/24", networkSecurityGroup: { id: natGatewayId } },
      }),
      "400 InvalidResourceReference",
    ],
    [
      "a Basic public address",
      "publicIPAddresses/p",
      () => ({ sku: { name: "Basic" }, properties: { publicIPAllocationMethod: "Static" } }),
      "400 IPv4BasicSkuPublicIpCountLimitReached",
    ],
    [
      "a public address of no sku, which is Basic",
      "publicIPAddresses/p",
      () => ({ properties: { publicIPAllocationMethod: "Static" } }),
      "400 IPv4BasicSkuPublicIpCountLimitReached",
    ],
    [
      "a dynamic Standard address",
      "publicIPAddresses/p",
      () => ({ sku: { name: "Standard" }, properties: { publicIPAllocationMethod: "Dynamic" } }),
      "400 StandardAndStandardV2SkuPublicIPAddressesMustBeStatic",
    ],
    [
      "a second NAT gateway on one address",
      "natGateways/n",
      ({ publicIpAddressId }) => ({
        sku: { name: "Standard" },
        properties: { publicIpAddresses: [{ id: publicIpAddressId }] },
      }),
      "400 PublicIPAddressInUse",
    ],
    [
      "a NAT gateway of another sku, which this Azure doesn't know",
      "natGateways/n",
      () => ({ sku: { name: "StandardV2" } }),
      "501 NotImplemented",
    ],
    [
      "a rule of priority 99",
      "networkSecurityGroups/g",
      () => ({
        properties: { securityRules: [{ name: "r", properties: { priority: 99 } }] },
      }),
      "400 SecurityRuleInvalidPriority",
    ],
    ...[
      ["203.0.113.0/24", "203.0.113.7/32"],
      ["203.0.113.7", "203.0.113.7/32"],
      ["2001:db8::/32", "2001:0db8::/32"],
    ].map((sourceAddressPrefixes): [string, string, (stack: NetworkStack) => object, string] => [
      `a rule with ${sourceAddressPrefixes.join(" and ")}`,
      "networkSecurityGroups/g",
      () => ({
        properties: {
          securityRules: [{ name: "r", properties: { priority: 100, sourceAddressPrefixes } }],
        },
      }),
      "400 OverlappingSubnetsNotPermittedInSecurityRule",
    ]),
    [
      "two rules of one priority and direction",
      "networkSecurityGroups/g",
      () => ({
        properties: {
          securityRules: ["a", "b"].map((name) => ({
            name,
            properties: { priority: 100, direction: "Inbound" },
          })),
        },
      }),
      "400 SecurityRuleConflict",
    ],
    [
      "a new network with a subnet and a tag out of rule",
      "virtualNetworks/v",
      () => ({
        tags: { "a<b": "c" },
        properties: {
          addressSpace: { addressPrefixes: ["10.0.0.0/16"] },
          subnets: [{ name: "a", properties: { addressPrefix: "10.0.0.0/24" } }],
        },
      }),
      "400 InvalidTagNameCharacters",
    ],
    [
      "a NIC of two configurations, which this Azure doesn't know",
      "networkInterfaces/n",
      (stack) => ({
        properties: {
          ipConfigurations: ["a", "b"].map((name) => ({ name, properties: subnetOf(stack) })),
        },
      }),
      "501 NotImplemented",
    ],
    [
      "a NIC without an address",
      "networkInterfaces/n",
      () => ({ properties: {} }),
      "400 NetworkInterfaceMustHaveAtLeastOneIpConfiguration",
    ],
    [
      "a NIC in no subnet",
      "networkInterfaces/n",
      () => ({ properties: { ipConfigurations: [{ name: "a", properties: {} }] } }),
      "400 SubnetIsRequiredForIpConfiguration",
    ],
    [
      "a NIC in another region than its subnet's public address",
      "networkInterfaces/n",
      (stack) => ({
        location: "northeurope",
        properties: {
          ipConfigurations: [
            {
              name: "a",
              properties: {
                ...subnetOf(stack),
                publicIPAddress: { id: stack.publicIpAddressId },
              },
            },
          ],
        },
      }),
      "400 InvalidResourceReference",
    ],
    [
      "a NIC with an address that is in use",
      "networkInterfaces/n",
      (stack) => ({
        properties: {
          ipConfigurations: [
            {
              name: "a",
              properties: {
                ...subnetOf(stack),
                publicIPAddress: { id: stack.publicIpAddressId },
              },
            },
          ],
        },
      }),
      "400 PublicIPAddressInUse",
    ],
    ...(
      [
        ["nonsense", "400 InvalidIPAddressFormat"],
        ["10.0.9.9", "400 PrivateIPAddressNotInSubnet"],
        ["10.0.1.3", "400 PrivateIPAddressInReservedRange"],
        ["10.0.1.4", "400 PrivateIPAddressIsAllocated"],
      ] as const
    ).map(([privateIPAddress, code]): [string, string, (stack: NetworkStack) => object, string] => [
      `a NIC at ${privateIPAddress}`,
      "networkInterfaces/n",
      (stack) => ({
        properties: {
          ipConfigurations: [
            {
              name: "a",
              properties: {
                ...subnetOf(stack),
                privateIPAllocationMethod: "Static",
                privateIPAddress,
              },
            },
          ],
        },
      }),
      code,
    ]),
    [
      "a move",
      "natGateways/nat-test",
      () => ({ location: "northeurope" }),
      "409 InvalidResourceLocation",
    ],
  ])("%s", async (_, path, getBody, expected) => {
    const { azure, stack } = await startWithNetwork();
    const before = azure.listResourceIds();
    expect(await put(azure, path, getBody(stack))).toBe(expected);
    expect(azure.listResourceIds()).toEqual(before);
  });
});

describe("a NIC with a public address and a security group of its own", () => {
  async function startWithPublicNic() {
    const { azure, clients, stack } = await startWithNetwork();
    const { network } = clients;
    const names = [GROUP, "pip-2"] as const;
    const address = await network.publicIPAddresses.beginCreateOrUpdateAndWait(
      ...names,
      { location: LOCATION, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" },
      FAST,
    );
    const group = await network.networkSecurityGroups.beginCreateOrUpdateAndWait(
      GROUP,
      "nsg-2",
      { location: LOCATION },
      FAST,
    );
    const putNic = (more: object, configuration: object) =>
      put(azure, "networkInterfaces/nic-test", {
        properties: {
          ...more,
          ipConfigurations: [
            { name: "main", properties: { subnet: { id: stack.subnetId }, ...configuration } },
          ],
        },
      });
    // While the subnet still has its NAT gateway, as on Azure.
    expect(
      await putNic(
        { networkSecurityGroup: { id: group.id } },
        { publicIPAddress: { id: address.id } },
      ),
    ).toBe("200");
    return { azure, network, stack, putNic };
  }

  it("keeps both from being deleted until it lets go of them", async () => {
    const { network, putNic } = await startWithPublicNic();
    const removals = [
      () => network.publicIPAddresses.beginDeleteAndWait(GROUP, "pip-2", FAST),
      () => network.networkSecurityGroups.beginDeleteAndWait(GROUP, "nsg-2", FAST),
    ];
    const refusals = await Promise.all(removals.map((remove) => getRefusal(remove())));
    expect(refusals).toEqual([
      "400 PublicIPAddressCannotBeDeleted",
      "400 InUseNetworkSecurityGroupCannotBeDeleted",
    ]);
    expect(await putNic({}, {})).toBe("200");
    for (const remove of removals) expect(await getRefusal(remove())).toBe("no refusal");
  });

  it("shows at the address who has it, and not for longer", async () => {
    const { azure, network, stack, putNic } = await startWithPublicNic();
    const shown = await network.publicIPAddresses.get(GROUP, "pip-2");
    expect(shown.ipConfiguration?.id).toBe(`${stack.networkInterfaceId}/ipConfigurations/main`);
    // Put as it is shown, it keeps nothing of what isn't its own to say.
    await network.publicIPAddresses.beginCreateOrUpdateAndWait(GROUP, "pip-2", shown, FAST);
    await putNic({}, {});
    const freed = await network.publicIPAddresses.get(GROUP, "pip-2");
    expect(freed.ipConfiguration).toBeUndefined();

    const natted = await network.publicIPAddresses.get(GROUP, "pip-test");
    await network.publicIPAddresses.beginCreateOrUpdateAndWait(GROUP, "pip-test", natted, FAST);
    expect(await put(azure, "natGateways/nat-test", { sku: { name: "Standard" } })).toBe("200");
    expect((await network.publicIPAddresses.get(GROUP, "pip-test")).natGateway).toBeUndefined();
  });

  it("lets its subnet's NAT gateway go", async () => {
    const { azure, network } = await startWithPublicNic();
    const subnet = { properties: { addressPrefix: "10.0.1.0/24" } };
    expect(await put(azure, "virtualNetworks/vnet-test/subnets/snet-test", subnet)).toBe("200");
    await network.natGateways.beginDeleteAndWait(GROUP, "nat-test", FAST);
    await network.publicIPAddresses.beginDeleteAndWait(GROUP, "pip-test", FAST);
    expect(azure.listResourceIds().join()).not.toMatch(/nat-test|pip-test/);
  });
});

describe("virtual networks", () => {
  it("keep their subnets when put without a list, and take a list's place", async () => {
    const { azure, clients } = await startWithNetwork();
    const { network } = clients;
    const addressSpace = { addressPrefixes: ["10.5.0.0/16"] };
    const subnets = [{ name: "a", properties: { addressPrefix: "10.5.0.0/24" } }];
    expect(await put(azure, "virtualNetworks/v", { properties: { addressSpace, subnets } })).toBe(
      "201",
    );
    expect((await network.subnets.get(GROUP, "v", "a")).addressPrefix).toBe("10.5.0.0/24");
    expect(await put(azure, "virtualNetworks/v", { properties: { addressSpace } })).toBe("200");
    expect((await network.virtualNetworks.get(GROUP, "v")).subnets).toHaveLength(1);
    const others = [{ name: "b", properties: { addressPrefix: "10.5.0.0/25" } }];
    expect(
      await put(azure, "virtualNetworks/v", { properties: { addressSpace, subnets: others } }),
    ).toBe("200");
    const names = (await network.virtualNetworks.get(GROUP, "v")).subnets?.map(({ name }) => name);
    expect(names).toEqual(["b"]);
  });

  it("change their tags alone with a PATCH", async () => {
    const { clients } = await startWithNetwork();
    const { virtualNetworks } = clients.network;
    const patched = await virtualNetworks.updateTags(GROUP, "vnet-test", { tags: { a: "1" } });
    expect(patched.tags).toEqual({ a: "1" });
    expect(patched.subnets).toHaveLength(1);
  });
});
