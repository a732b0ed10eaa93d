import { toRoleCommands } from "./arm-failures";
import { ARM_RETRIES, askArm, type ArmContext } from "./arm-request";
import { isSameText } from "./config";
import { VerifyError, type Cause, type FailureCode, type FailureDetails } from "./errors";
import type { Instance } from "./instance";
import { isObject } from "./json";
import { getPermissions, mayRead } from "./permissions";

/** A new role assignment takes up to 10 minutes to work ("Troubleshoot Azure RBAC"). */
const PROPAGATION_MS = 10 * 60_000;

/** IMDS keeps tokens for hours; Entra ID sets their start back by 5 minutes. A token older than this is a kept one. */
const KEPT_TOKEN_AGE_MS = 10 * 60_000;

/** So many names are enough to recognize a misspelled one. */
const MAX_NAMES = 5;

/**
 * Says what a 403 on the resource group most likely means. Azure gives one answer for a role that is not there, one that
 * does not work yet and a group that does not exist, so two more questions are asked, once each: what may the identity
 * do on the group, and which groups does it read?
 * @param denied the `ACCESS_DENIED` to be explained
 * @param deniedMs for how long ARM has been answering 403
 * @param describeVm asked for the VM's own group
 * @returns `ROLE_PROPAGATING`, `RESOURCE_GROUP_HIDDEN`, `ROLE_MISSING`, or `ACCESS_DENIED` with its possible causes
 */
export async function explainAccessDenied(
  denied: VerifyError,
  context: ArmContext,
  deniedMs: number,
  describeVm: () => Promise<Instance | undefined>,
): Promise<VerifyError> {
  const { settings, token } = context;
  const { resourceGroup, subscriptionId } = settings;
  const { asked, cameBack } = denied;
  const fail = (code: FailureCode, details: FailureDetails) =>
    new VerifyError(code, { ...(asked && { asked }), ...(cameBack && { cameBack }), ...details });

  // The time for retries is over by now.
  const [mayReadGroup, groups, instance] = await Promise.all([
    getPermissions(context).then(({ permissions }) => mayRead(permissions), asUnknown),
    listGroups(context).catch(asUnknown),
    describeVm(),
  ]);

  if (mayReadGroup || groups?.some((name) => isSameText(name, resourceGroup))) {
    return fail("ROLE_PROPAGATING", {
      message: `The role on ${resourceGroup} is there, but does not work everywhere yet.`,
      hint: "ARM lists it already, and still refuses to go by it. Run verify again in a few minutes.",
    });
  }
  if (groups && groups.length > 0) {
    const names = groups.slice(0, MAX_NAMES).join(", ") + (groups.length > MAX_NAMES ? ", …" : "");
    return fail("RESOURCE_GROUP_HIDDEN", {
      message: `The identity reads other groups of the subscription (${names}), but not ${resourceGroup}.`,
      hint: "The name is wrong, or the role on this group is missing: a group that does not exist is answered with 403, too.",
      commands: [
        `az group exists --subscription "${subscriptionId}" --name "${resourceGroup}"`,
        ...toRoleCommands(context),
      ],
    });
  }

  const causes = listCauses(context, instance);
  if (deniedMs >= PROPAGATION_MS) {
    return fail("ROLE_MISSING", {
      message: `The identity has no role on the resource group ${resourceGroup}.`,
      hint: "ARM has refused access for longer than a new role assignment takes to work.",
      causes,
    });
  }
  const isStale = token.claims.issuedOn
    ? Date.now() - token.claims.issuedOn.getTime() > KEPT_TOKEN_AGE_MS
    : false;
  return fail("ACCESS_DENIED", {
    message: `The identity may not read the resource group ${resourceGroup}.`,
    hint: "It has no role there, or one that does not work yet: Azure gives the same answer for both.",
    causes: [
      {
        code: "ROLE_PROPAGATING",
        meaning: "A role assigned moments ago takes up to 10 minutes to work: wait for it.",
        commands: ["node verify.js --wait 660"],
      },
      ...causes,
      ...(isStale ? [STALE_TOKEN] : []),
    ],
  });
}

const STALE_TOKEN: Cause = {
  code: "STALE_TOKEN",
  meaning:
    "IMDS keeps tokens for up to 24 hours, and this one is older than the run: a change of the identity's groups or " +
    "roles since then may not count for it.",
  commands: [],
};

function listCauses(
  { settings, token }: ArmContext,
  instance: Instance | undefined,
): readonly Cause[] {
  const [list, create] = toRoleCommands({ settings, token });
  const { clientId, resourceGroup, subscriptionId } = settings;
  const isVmsOwn =
    isSameText(instance?.resourceGroup ?? "", resourceGroup) &&
    isSameText(instance?.subscriptionId ?? "", subscriptionId);
  const own = instance?.resourceGroup ? ` The VM's own group is ${instance.resourceGroup}.` : "";
  return [
    {
      code: "ROLE_NOT_ASSIGNED",
      meaning: "The identity was not given a role on the group: give it Reader.",
      commands: [list, create],
    },
    {
      code: "ROLE_ON_CLIENT_ID",
      meaning: "The role was given to the client id; it has to be given to the principal id.",
      commands: [`az role assignment list --all --query "[?principalId=='${clientId}']"`],
    },
    ...(isVmsOwn
      ? []
      : [
          {
            code: "WRONG_NAME" as const,
            meaning: `The group or the subscription is another one: a wrong name is answered with 403, too.${own}`,
            commands: [
              `az group exists --subscription "${subscriptionId}" --name "${resourceGroup}"`,
            ],
          },
        ]),
  ];
}

/** The groups of the subscription that the identity reads ("Resource Groups - List"): ARM leaves out all others. */
async function listGroups(context: ArmContext): Promise<string[] | undefined> {
  const { subscriptionId } = context.settings;
  const path = `/subscriptions/${subscriptionId}/resourcegroups?api-version=2021-04-01`;
  const { answer } = await askArm(context, path, ARM_RETRIES);
  const { value } = isObject(answer.json) ? answer.json : {};
  if (!Array.isArray(value)) return undefined;
  return (value as unknown[]).flatMap((group) =>
    isObject(group) && typeof group.name === "string" ? [group.name] : [],
  );
}

/** What can't be found out does not count: the 403 itself is the failure. */
function asUnknown(error: unknown): undefined {
  if (error instanceof VerifyError) return undefined;
  throw error;
}
