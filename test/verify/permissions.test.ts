import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import { createArmError, createPermissionsAnswer, getScope } from "./azure-answers";
import { runVerify, useBundle } from "./runs";
import type { Reply } from "./servers";

const getBundle = useBundle();

const role = (actions: string[]) => ({ actions, notActions: [], dataActions: [] });

const cases: {
  name: string;
  reply: Reply;
  /** Warnings by default; the first is the error with --strict. */
  codes: FailureCode[];
  exitCode: number;
  text?: string;
}[] = [
  { name: "Reader", reply: createPermissionsAnswer(["*/read"]), codes: [], exitCode: 0 },
  {
    name: "Reader twice, in capitals",
    reply: { status: 200, body: { value: [role(["*/READ"]), role(["*/READ"])] } },
    codes: [],
    exitCode: 0,
  },
  {
    name: "Reader, and more to read",
    reply: { status: 200, body: { value: [role(["*/read", "Microsoft.Compute/disks/read"])] } },
    codes: [],
    exitCode: 0,
  },
  {
    name: "Contributor",
    reply: createPermissionsAnswer(["*"], { notActions: ["Microsoft.Authorization/*/Write"] }),
    codes: ["TOO_MUCH_PRIVILEGE"],
    exitCode: 60,
    text: "*",
  },
  {
    name: "Reader and a role that restarts VMs",
    reply: {
      status: 200,
      body: {
        value: [role(["*/read"]), role(["Microsoft.Compute/virtualMachines/restart/action"])],
      },
    },
    codes: ["TOO_MUCH_PRIVILEGE"],
    exitCode: 60,
    text: "Microsoft.Compute/virtualMachines/restart/action",
  },
  {
    name: "an action that only sounds like reading",
    reply: createPermissionsAnswer(["*/read", "Microsoft.Storage/readKeys/action"]),
    codes: ["TOO_MUCH_PRIVILEGE"],
    exitCode: 60,
    text: "Microsoft.Storage/readKeys/action",
  },
  {
    name: "write on all",
    reply: createPermissionsAnswer(["*/read", "*/write"]),
    codes: ["TOO_MUCH_PRIVILEGE"],
    exitCode: 60,
    text: "*/write",
  },
  {
    name: "data that may be read",
    reply: createPermissionsAnswer(["*/read"], {
      dataActions: ["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
    }),
    codes: ["TOO_MUCH_PRIVILEGE"],
    exitCode: 60,
    text: "blobs/read (data)",
  },
  {
    name: "the group only",
    reply: createPermissionsAnswer(["Microsoft.Resources/subscriptions/resourceGroups/read"]),
    codes: ["NOT_READER"],
    exitCode: 61,
  },
  {
    name: "less here and more there",
    reply: createPermissionsAnswer(["Microsoft.Compute/*"]),
    codes: ["TOO_MUCH_PRIVILEGE", "NOT_READER"],
    exitCode: 60,
  },
  {
    name: "Reader but for some of it",
    reply: createPermissionsAnswer(["*/read"], { notActions: ["Microsoft.Compute/*"] }),
    codes: ["NOT_READER"],
    exitCode: 61,
  },
  {
    name: "Reader, and another role with exceptions",
    reply: {
      status: 200,
      body: {
        value: [
          role(["*/read"]),
          { actions: ["*/read"], notActions: ["*/secrets/read"], dataActions: [] },
        ],
      },
    },
    codes: [],
    exitCode: 0,
  },
  {
    name: "nothing",
    reply: { status: 200, body: { value: [] } },
    codes: ["NOT_READER"],
    exitCode: 61,
  },
  ...[
    ["a list that goes on elsewhere", { value: [role(["*/read"])], nextLink: "https://x/" }],
    ["a list that is none", { value: role(["*/read"]) }],
    ["entries that are none", { value: ["*/read"] }],
    ["actions that are no list", { value: [{ actions: "*/read" }] }],
    ["actions that are no text", { value: [{ actions: [{ id: "*/read" }] }] }],
  ].map(([name, body]) => ({
    name: name as string,
    reply: { status: 200, body: body as Record<string, unknown> },
    codes: ["PERMISSIONS_UNKNOWN" as const],
    exitCode: 62,
  })),
  {
    name: "a refusal",
    reply: createArmError(403, "AuthorizationFailed"),
    codes: ["PERMISSIONS_UNKNOWN"],
    exitCode: 62,
    text: "ARM denies access",
  },
];

describe.concurrent("what the identity may do", () => {
  it.each(cases)("$name: $codes", async ({ reply, codes, text = "" }) => {
    const { run, report, subject, azure } = await runVerify(getBundle(), {
      args: ["--wait", "0"],
      replies: { permissions: [reply] },
    });

    expect(run.exitCode).toBe(0);
    expect(report.ok).toBe(true);
    expect(report.warnings.map(({ code }) => code)).toEqual(codes);
    expect(report.warnings.map(({ message }) => message).join()).toContain(text);
    expect(report.steps[5]).toMatchObject({
      name: "permissions",
      status: codes.length > 0 ? "warning" : "passed",
    });
    expect(azure.listRequests("permissions").map(({ url }) => url)).toEqual([
      `${getScope(subject)}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
    ]);
  });

  it.each(cases)(
    "$name, with --strict: exit code $exitCode",
    async ({ reply, codes, exitCode }) => {
      const { run, report } = await runVerify(getBundle(), {
        args: ["--wait", "0", "--strict"],
        replies: { permissions: [reply] },
      });

      expect(run.exitCode).toBe(exitCode);
      expect(report.error?.code).toBe(codes[0]);
      expect(report.warnings.map(({ code }) => code)).toEqual(codes.slice(1));
      // What was found out is there all the same.
      expect(report.resourceGroup?.name).toBe("rg-tutorial");
    },
  );

  it("is tried again like the group, and part of the report", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "5"],
      replies: { permissions: [{ status: 503 }, createPermissionsAnswer(["*/read"])] },
    });

    expect(report.warnings).toEqual([]);
    expect(report.permissions).toEqual([role(["*/read"])]);
    expect(azure.countRequests()).toMatchObject({ permissions: 2 });
  });
});
