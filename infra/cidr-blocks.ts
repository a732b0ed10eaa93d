import { BlockList, isIPv4, isIPv6 } from "node:net";

/** How long the prefix of a block must be at least; a shorter one lets in half of the world by mistake. */
const MIN_PREFIX_LENGTH = { IPv4: 8, IPv6: 32 } as const;
const ADDRESS_BITS = { IPv4: 32, IPv6: 128 } as const;

/** What Azure, and people, call all addresses. */
const EVERYONE: readonly string[] = ["*", "any", "internet", "0.0.0.0/0", "::/0"];

/** Tells blocks of IPv6 addresses from those of IPv4: a rule of a network security group takes one kind only. */
export function isIPv6Block(block: string): boolean {
  return block.includes(":");
}

/**
 * Checks the blocks of addresses that may reach the VMs from outside.
 *
 * @returns what is wrong with each of them, in one sentence that follows the setting's name; undefined when
 *   nothing is
 */
export function checkAllowRdpFrom(value: unknown): string | undefined {
  if (!Array.isArray(value)) return "is not a list of CIDR blocks";
  const blocks: unknown[] = value;
  const right: string[] = [];
  const problems = blocks.flatMap((block) => {
    const problem = findBlockProblem(block) ?? findOverlap(String(block), right);
    if (problem !== undefined) return [`${JSON.stringify(block)}, ${problem}`];
    right.push(String(block));
    return [];
  });
  return problems.length === 0 ? undefined : `has ${problems.join("; and ")}`;
}

/** Azure: "OverlappingSubnetsNotPermittedInSecurityRule". */
function findOverlap(block: string, others: readonly string[]): string | undefined {
  const overlapped = others.find(
    (other) => startsInside(block, other) || startsInside(other, block),
  );
  return overlapped === undefined
    ? undefined
    : `which overlaps with "${overlapped}": Azure takes no address twice`;
}

/** Of two blocks that overlap, one begins inside the other. */
function startsInside(inner: string, outer: string): boolean {
  const [first = ""] = inner.split("/");
  const [network = "", length = ""] = outer.split("/");
  const family = (block: string) => (isIPv6Block(block) ? "ipv6" : "ipv4");
  if (family(inner) !== family(outer)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family(outer));
  return list.check(first, family(inner));
}

function findBlockProblem(block: unknown): string | undefined {
  if (typeof block !== "string") return "which is not a string";
  if (EVERYONE.includes(block.toLowerCase())) {
    return "which lets everyone on the Internet try passwords: name the addresses that you come from";
  }
  const [, address = "", lengthText = ""] = /^([\da-f.:]+)\/(0|[1-9]\d*)$/i.exec(block) ?? [];
  const family = isIPv4(address) ? "IPv4" : isIPv6(address) ? "IPv6" : undefined;
  if (family === undefined) {
    return "which is not a CIDR block, such as 203.0.113.0/24 or, for one address, 203.0.113.7/32";
  }
  const length = Number(lengthText);
  const bits = ADDRESS_BITS[family];
  if (length > bits) return `whose prefix is longer than the ${bits} bits of an address`;
  const minLength = MIN_PREFIX_LENGTH[family];
  if (length < minLength) return `which is wider than /${minLength}`;
  // Azure: "Security rule … has invalid Address prefix. Value provided: 50.206.209.68/27".
  const hostBits = toNumber(address) & ((1n << BigInt(bits - length)) - 1n);
  return hostBits === 0n
    ? undefined
    : `whose address is not the first one of a /${length} block, which Azure refuses`;
}

/** An address, checked before, as a number. */
function toNumber(address: string): bigint {
  if (isIPv4(address)) return join(address.split("."), 8n, "");
  // URLs hold IPv6 addresses in lower case, without leading zeros or a part in IPv4's notation.
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const [left, right] = [head, tail ?? ""].map((text) => (text === "" ? [] : text.split(":")));
  const [first, last] = [left ?? [], right ?? []];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  return join([...first, ...zeros, ...last], 16n, "0x");
}

function join(parts: readonly string[], partBits: bigint, radixPrefix: "" | "0x"): bigint {
  return parts.reduce((number, part) => (number << partBits) | BigInt(radixPrefix + part), 0n);
}
