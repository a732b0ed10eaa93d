import { BlockList, isIPv6 } from "node:net";

import { AzureError } from "../errors";
import { readTexts } from "../json";
import type { JsonObject } from "../json";

/** The properties of a security rule that hold lists of address prefixes, and what messages call them. */
const LISTS = {
  sourceAddressPrefixes: "SourceAddressPrefix",
  destinationAddressPrefixes: "DestinationAddressPrefix",
} as const;

/**
 * Checks that no list of a security rule has an address twice.
 * @throws AzureError 400 OverlappingSubnetsNotPermittedInSecurityRule, as quoted in
 * https://github.com/alan-turing-institute/data-safe-haven/issues/2077; the end of the message is inferred
 */
export function checkNoOverlap(ruleId: string, properties: JsonObject): void {
  for (const [name, parameter] of Object.entries(LISTS)) {
    const prefixes = readTexts(properties[name], `properties.${name}`);
    const pair = prefixes.flatMap((one, index) =>
      prefixes
        .slice(index + 1)
        .filter((other) => isInside(one, other) || isInside(other, one))
        .map((other) => `${one}, ${other}`),
    );
    if (pair.length === 0) continue;
    throw new AzureError(
      400,
      "OverlappingSubnetsNotPermittedInSecurityRule",
      `Security rule parameter ${parameter} for rule with Id ${ruleId} cannot have overlapping subnets. Overlapping subnets: ${pair.join("; ")}.`,
      { details: [] },
    );
  }
}

/** Whether the first address of one prefix lies in the other; service tags lie in nothing. */
function isInside(inner: string, outer: string): boolean {
  const [first = ""] = inner.split("/");
  const [network = "", length] = outer.split("/");
  const family = isIPv6(network) ? "ipv6" : "ipv4";
  const list = new BlockList();
  try {
    if (length === undefined) list.addAddress(network, family);
    else list.addSubnet(network, Number(length), family);
  } catch {
    return false;
  }
  return list.check(first, isIPv6(first) ? "ipv6" : "ipv4");
}
