import { isIPv4 } from "node:net";

import { AzureError } from "../errors";

/** A range of IPv4 addresses as numbers, both ends included. */
export interface IpRange {
  first: number;
  last: number;
}

/**
 * Reads an address range such as "10.0.1.0/24".
 * @throws AzureError 400 InvalidAddressPrefixFormat, or InvalidCIDRNotation when the address isn't
 * the first of its range; `owner` is the id of the resource that has it
 */
export function readRange(prefix: string, owner: string): IpRange {
  const [address = "", bits = ""] = prefix.split("/");
  if (!isIPv4(address) || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) {
    throw new AzureError(
      400,
      "InvalidAddressPrefixFormat",
      `Address prefix string for resource ${owner} cannot be parsed: '${prefix}'. The local Azure knows IPv4 ranges only.`,
    );
  }
  const first = toNumber(address);
  const size = 2 ** (32 - Number(bits));
  if (first % size === 0) return { first, last: first + size - 1 };
  const start = toAddress(first - (first % size));
  throw new AzureError(
    400,
    "InvalidCIDRNotation",
    `The address prefix ${prefix} in resource ${owner} has an invalid CIDR notation. For the given prefix length, the address prefix should be ${start}/${bits}.`,
  );
}

/** True when two ranges have an address in common. */
export function overlaps(left: IpRange, right: IpRange): boolean {
  return left.first <= right.last && right.first <= left.last;
}

/** True when `inner` lies wholly in `outer`. */
export function contains(outer: IpRange, inner: IpRange): boolean {
  return outer.first <= inner.first && inner.last <= outer.last;
}

/** An IPv4 address as a number. */
export function toNumber(address: string): number {
  return address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** A number as an IPv4 address. */
export function toAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
