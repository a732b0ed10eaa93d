import { expect, test } from "vitest";
import { checkAllowRdpFrom, isIPv6Block } from "../../infra/cidr-blocks";
import { testRule } from "./rule-table";

testRule<unknown>("allowRdpFrom", {
  rule: checkAllowRdpFrom,
  accepted: [
    [],
    ["203.0.113.7/32"],
    ["203.0.113.0/24", "198.51.100.128/25"],
    ["10.0.0.0/8"],
    ["2001:db8::/32"],
    ["2001:DB8:0:1::/64", "2001:db8::1/128"],
    ["203.0.113.0/25", "203.0.113.128/25", "2001:db8::/32"],
    ["1:2:3:4:5:6:7:8/128"],
    ["64:ff9b::203.0.113.0/120"],
  ],
  refused: [
    ["203.0.113.0/24", "not a list"],
    [{ "0": "203.0.113.0/24" }, "not a list"],
    [null, "not a list"],
    [[7], "7, which is not a string"],
    [
      ["203.0.113.0/24", "203.0.113.128/25"],
      '"203.0.113.128/25", which overlaps with "203.0.113.0/24"',
    ],
    [["203.0.113.7/32", "203.0.113.0/24"], "overlaps with"],
    [["2001:db8::/32", "2001:0DB8::/32"], "overlaps with"],
    [["*"], "everyone"],
    [["Internet"], "everyone"],
    [["internet"], "everyone"],
    [["Any"], "everyone"],
    [["0.0.0.0/0"], "everyone"],
    [["::/0"], "everyone"],
    [["0.0.0.0/1"], "wider than /8"],
    [["10.0.0.0/7"], "wider than /8"],
    [["0:0::/0"], "wider than /32"],
    [["2001::/31"], "wider than /32"],
    [["203.0.113.7"], "not a CIDR block"],
    [["VirtualNetwork"], "not a CIDR block"],
    [[""], "not a CIDR block"],
    [["203.0.113.0/"], "not a CIDR block"],
    [["203.0.113.0/24 "], "not a CIDR block"],
    [["203.0.113.0/24\n"], "not a CIDR block"],
    [["203.0.113.0/024"], "not a CIDR block"],
    [["203.0.113.0/+24"], "not a CIDR block"],
    [["203.0.113.0/24.0"], "not a CIDR block"],
    [["203.0.113.0/255.255.255.0"], "not a CIDR block"],
    [["203.0.113/24"], "not a CIDR block"],
    [["203.0.113.256/32"], "not a CIDR block"],
    [["203.0.113.0-203.0.113.9"], "not a CIDR block"],
    [["fe80::1%eth0/128"], "not a CIDR block"],
    [["2001:db8::/64/64"], "not a CIDR block"],
    [["203.0.113.0/33"], "longer than the 32 bits"],
    [["2001:db8::/129"], "longer than the 128 bits"],
    [["203.0.113.7/24"], "not the first one of a /24 block"],
    [["50.206.209.68/27"], "not the first one of a /27 block"],
    [["2001:db8::1/64"], "not the first one of a /64 block"],
    [["203.0.113.0/24", "203.0.113.0/24"], "overlaps with"],
    [["2001:db8::/32", "2001:DB8::/32"], "overlaps with"],
  ],
});

test("names every wrong block", () => {
  expect(checkAllowRdpFrom(["*", "203.0.113.0/24", "10.0.0.0/4"])).toBe(
    'has "*", which lets everyone on the Internet try passwords: name the addresses that you come from; ' +
      'and "10.0.0.0/4", which is wider than /8',
  );
});

test.each([
  ["203.0.113.0/24", false],
  ["2001:db8::/32", true],
])("%s: IPv6 is %s", (block, expected) => {
  expect(isIPv6Block(block)).toBe(expected);
});
