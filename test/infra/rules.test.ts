import { expect, test } from "vitest";
import {
  REFUSED_PASSWORDS,
  REFUSED_USERNAMES,
  checkAdminPassword,
  checkAdminUsername,
  checkIdentityId,
  checkIdentityName,
  checkImageSku,
  checkLastVmName,
  checkLocation,
  checkNoOtherName,
  checkResourceGroupId,
  checkSwitch,
  checkTags,
  checkVmCount,
  checkVmName,
  checkVmSize,
} from "../../infra/rules";
import { testRule } from "./rule-table";

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

testRule<unknown>("vmCount", {
  rule: checkVmCount,
  accepted: [1, 2, 200],
  refused: [
    [0, "from 1 to 200"],
    [201, "from 1 to 200"],
    [-1, "from 1 to 200"],
    [1.5, "a whole number"],
    ["many", 'is "many"'],
    [true, "a whole number"],
    [null, "a whole number"],
  ],
});

testRule<[string, number]>("the last VM's name", {
  rule: ([name, count]) => checkLastVmName(name, count),
  accepted: [
    ["windows-server1", 1],
    ["windows-vm-12", 9],
    ["windows-vm1", 200],
  ],
  refused: [
    [["windows-vm-123", 2], '"windows-vm-123-2" the name of VM 2, which has 16 characters'],
    [["windows-vm-12", 10], "16 characters"],
    [["windows-vm-1", 200], "16 characters"],
  ],
});

testRule<unknown>("verifyOnDeploy", {
  rule: checkSwitch,
  accepted: [true, false],
  refused: [
    ["yes", 'is "yes"'],
    [1, "true or false"],
    [null, "true or false"],
  ],
});

const GROUP_ID = "/subscriptions/5b1e0a9c-0000-4000-8000-000000000001/resourceGroups/tutorial";

testRule("resourceGroupId", {
  rule: checkResourceGroupId,
  accepted: [
    GROUP_ID,
    GROUP_ID.toUpperCase(),
    GROUP_ID.replace("tutorial", "My_group.(é)-1"),
    GROUP_ID.replace("tutorial", "resource-group"),
    GROUP_ID.replace("tutorial", "resource-group0fa00fb8-own"),
    GROUP_ID.replace("tutorial", "x".repeat(90)),
  ],
  refused: [
    ["tutorial", "not the id of a resource group"],
    [GROUP_ID.replace("tutorial", "resource-group0fa00fb8"), "that a stack of this program made"],
    [GROUP_ID.replace("tutorial", "Resource-Group0FA00FB8"), "that a stack of this program made"],
    [`${GROUP_ID}/`, "not the id"],
    [`${GROUP_ID}.`, "not the id"],
    [GROUP_ID.slice(1), "not the id"],
    [GROUP_ID.replace("tutorial", "x".repeat(91)), "not the id"],
    [GROUP_ID.replace("5b1e0a9c-", ""), "not the id"],
    [`${GROUP_ID}/providers/Microsoft.Compute/virtualMachines/vm`, "not the id"],
    [`${GROUP_ID}\n`, "not the id"],
  ],
});

const IDENTITY_ID = `${GROUP_ID}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shared`;

testRule("identityId", {
  rule: checkIdentityId,
  accepted: [IDENTITY_ID, IDENTITY_ID.toLowerCase(), `${IDENTITY_ID}_1-${"x".repeat(100)}`],
  refused: [
    ["shared", "not the id of a user-assigned identity"],
    [IDENTITY_ID.replace(/resourceGroups\/[^/]+/, "resourceGroups/resource-group0fa00fb8"), "made"],
    [GROUP_ID, "not the id"],
    [IDENTITY_ID.replace("shared", ""), "not the id"],
    [IDENTITY_ID.replace("shared", "ab"), "not the id"],
    [IDENTITY_ID.replace("shared", "_shared"), "not the id"],
    [IDENTITY_ID.replace("Microsoft.", "Microsoft-"), "not the id"],
    [`${IDENTITY_ID}/federatedIdentityCredentials/x`, "not the id"],
  ],
});

testRule<[string, string | undefined]>("identityName beside identityId", {
  rule: ([name, id]) => checkNoOtherName(name, id),
  accepted: [
    ["other", undefined],
    ["windows-vm-identity", IDENTITY_ID],
    ["Shared", IDENTITY_ID],
  ],
  refused: [[["other", IDENTITY_ID], 'says to use "shared"']],
});
