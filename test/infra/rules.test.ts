import { describe, expect, test } from "vitest";
import {
  REFUSED_PASSWORDS,
  REFUSED_USERNAMES,
  checkAdminPassword,
  checkAdminUsername,
  checkIdentityName,
  checkImageSku,
  checkLocation,
  checkTags,
  checkVmName,
  checkVmSize,
} from "../../infra/rules";

/** Rows of a rule's table: values that Azure takes, and values that it refuses with a part of what is said about each. */
interface Cases<T> {
  rule: (value: T) => string | undefined;
  accepted: T[];
  refused: [value: T, reason: string][];
}

function testRule<T>(name: string, { rule, accepted, refused }: Cases<T>): void {
  describe(name, () => {
    test.each(accepted.map((value) => [value]))("accepts %j", (value) => {
      expect(rule(value)).toBeUndefined();
    });
    test.each(refused)("refuses %j: %s", (value, reason) => {
      expect(rule(value)).toContain(reason);
    });
  });
}

testRule("location", {
  rule: checkLocation,
  accepted: ["westeurope", "eastus2"],
  refused: [
    ["", "short name"],
    ["West Europe", "short name"],
    ["2eastus", "short name"],
  ],
});

testRule("identityName", {
  rule: checkIdentityName,
  accepted: ["abc", "windows-vm-identity", "0123456789-0123456789-01"],
  refused: [
    ["ab", "3 to 24"],
    ["a".repeat(25), "3 to 24"],
    ["-abc", "begin with"],
    ["my_identity", "hyphens"],
    ["identité", "letters"],
    ["abc\n", "letters"],
  ],
});

testRule("vmName", {
  rule: checkVmName,
  accepted: ["a", "windows-vm", "vm-123456789012", "1a"],
  refused: [
    ["", "1 to 15"],
    ["a".repeat(16), "1 to 15"],
    ["vm-", "no hyphen first or last"],
    ["-vm", "no hyphen first or last"],
    ["vm_1", "hyphens"],
    ["vm.1", "hyphens"],
    ["12345", "digits only"],
  ],
});

testRule("vmSize", {
  rule: checkVmSize,
  accepted: ["Standard_B2s_v2", "Standard_D4ads_v5", "Standard_M64-32ms"],
  refused: [
    ["", "size"],
    ["B2s", "size"],
    ["Standard_", "size"],
    ["Standard_B2s v2", "size"],
  ],
});

testRule("imageSku", {
  rule: checkImageSku,
  accepted: ["2025-datacenter-azure-edition", "2022-datacenter-g2"],
  refused: [
    ["", "SKU"],
    ["Windows Server 2025", "SKU"],
  ],
});

testRule("adminUsername", {
  rule: checkAdminUsername,
  accepted: ["vmadmin", "vm_admin", "a.b-c", "x".repeat(20)],
  refused: [
    ["", "1 to 20"],
    ["x".repeat(21), "1 to 20"],
    ["ends.", "dot at the end"],
    ["do main", "letters"],
    ["domain\\user", "letters"],
    ["user@host", "letters"],
    ["Administrator", "Azure refuses"],
    ["josé", "letters"],
    ...Array.from(REFUSED_USERNAMES, (name): [string, string] => [name, "Azure refuses"]),
  ],
});

testRule("adminPassword", {
  rule: checkAdminPassword,
  accepted: ["correct-Horse-7-battery", "Aa1!Aa1!Aa1!", `Aa1!${"x".repeat(119)}`],
  refused: [
    ["", "12 to 123"],
    ["Aa1!Aa1!Aa1", "12 to 123"],
    [`Aa1!${"x".repeat(120)}`, "12 to 123"],
    ["Aa1!Aa1!\tAa1!", "a control character"],
    ["AA1!AA1!AA1!", "a lower-case letter"],
    ["aa1!aa1!aa1!", "an upper-case letter"],
    ["Aab!Aab!Aab!", "a digit"],
    ["Aa11Aa11Aa11", "a special character"],
    ["aaaaaaaaaaaa", "an upper-case letter and a digit and a special character"],
  ],
});

test("no message about a password repeats it", () => {
  for (const password of [...REFUSED_PASSWORDS, "only-lower-case-letters", "Sh0rt!"]) {
    const problem = checkAdminPassword(password);
    expect(problem).toBeDefined();
    expect(problem).not.toContain(password);
  }
});

testRule<unknown>("tags", {
  rule: checkTags,
  accepted: [{}, { environment: "dev" }, { empty: "" }],
  refused: [
    ["environment=dev", "not an object"],
    [[], "not an object"],
    [null, "not an object"],
    [{ "": "x" }, "1 to 512"],
    [{ "a/b": "x" }, "none of"],
    [{ cost: 12 }, "not a string"],
    [{ long: "x".repeat(257) }, "at most 256"],
    [{ Env: "a", env: "b" }, "differ in case only"],
    [{ "Identity-Client-Id": "x" }, "the stack gives"],
    [Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`t${i}`, ""])), "at most 49"],
  ],
});
