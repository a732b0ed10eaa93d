import { toRoleCommands } from "./arm-failures";
import { ARM_RETRIES, askArm, type ArmContext } from "./arm-request";
import { isSameText } from "./checks";
import { VerifyError, type Cause, type Fail } from "./errors";
import type { Instance } from "./instance";
import { isObject } from "./json";
import { getPermissions, mayReadGroup } from "./permissions";

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
  const fail: Fail = (code, details) => new VerifyError(code, { ...details, asked, cameBack });

  // The time for retries is over by now.
  const [isAllowed, groups, instance] = await Promise.all([
    getPermissions(context).then(({ permissions }) => mayReadGroup(permissions), asUnknown),
    listGroups(context).catch(asUnknown),
    describeVm(),
  ]);

  const isOld = deniedMs >= PROPAGATION_MS;
  if (isAllowed || groups?.some((name) => isSameText(name, resourceGroup))) {
    return fail("ROLE_PROPAGATING", {
      message: `The role on ${resourceGroup} is there, but does not work everywhere yet.`,
      hint: isOld
        ? "ARM lists it, and has refused to go by it for longer than a new role takes to work: give the request ids to Azure support."
        : "ARM lists it already, and still refuses to go by it. Run verify again in a few minutes.",
    });
  }
  if (groups && groups.length > 0) {
    const names = groups.slice(0, MAX_NAMES).join(", ") + (groups.length > MAX_NAMES ? ", …" : "");
    return fail("RESOURCE_GROUP_HIDDEN", {
      message: `The identity reads other groups of the subscription (${names}), but not ${resourceGroup}.`,
      hint: "A group that does not exist is answered with 403, too.",
      causes: [
        toWrongName(settings, instance),
        ...listRoleCauses(context),
        ...(isOld ? [] : [STILL_NEW]),
      ],
    });
  }

  const isVmsOwn =
    isSameText(instance?.resourceGroup ?? "", resourceGroup) &&
    isSameText(instance?.subscriptionId ?? "", subscriptionId);
  const isKept = Date.now() - (token.claims.issuedOn?.getTime() ?? NaN) > KEPT_TOKEN_AGE_MS;
  const causes = [
    ...listRoleCauses(context),
    ...(isVmsOwn ? [] : [toWrongName(settings, instance)]),
    ...(isKept ? [STALE_TOKEN] : []),
  ];
  if (isOld) {
    return fail("ROLE_MISSING", {
      message: `ARM knows no role of the identity on the resource group ${resourceGroup}.`,
      hint: "It has refused access for longer than a new role assignment takes to work.",
      causes,
    });
  }
  return fail("ACCESS_DENIED", {
    message: `The identity may not read the resource group ${resourceGroup}.`,
    hint: "It has no role there, or one that does not work yet: Azure gives the same answer for both.",
    causes: [STILL_NEW, ...causes],
  });
}

const STILL_NEW: Cause = {
  code: "ROLE_PROPAGATING",
  meaning:
    "A role assigned moments ago takes up to 10 minutes to work: run verify again, and leave out --wait to wait for it.",
  commands: [],
};

const STALE_TOKEN: Cause = {
  code: "STALE_TOKEN",
  meaning:
    "IMDS keeps tokens for up to 24 hours, and this one is older than the run: a change of the identity's groups or " +
    "roles since then may not count for it.",
  commands: [],
};

function listRoleCauses({ settings, token }: ArmContext): Cause[] {
  const { clientId, subscriptionId } = settings;
  return [
    {
      code: "ROLE_NOT_ASSIGNED",
      meaning: "The identity was not given a role on the group: give it Reader.",
      commands: toRoleCommands({ settings, token }),
    },
    {
      code: "ROLE_ON_CLIENT_ID",
      meaning: "The role was given to the client id; it has to be given to the principal id.",
      commands: [
        `az role assignment list --all --subscription "${subscriptionId}" --query "[?principalId=='${clientId}']"`,
      ],
    },
  ];
}

function toWrongName(
  { subscriptionId, resourceGroup }: ArmContext["settings"],
  instance: Instance | undefined,
): Cause {
  const own = instance?.resourceGroup ? ` The VM's own group is ${instance.resourceGroup}.` : "";
  return {
    code: "WRONG_NAME",
    meaning: `The group or the subscription is another one: a wrong name is answered with 403, too.${own}`,
    commands: [`az group exists --subscription "${subscriptionId}" --name "${resourceGroup}"`],
  };
}

/** The groups of the subscription that the identity reads ("Resource Groups - List"): ARM leaves out all others. */
async function listGroups(context: ArmContext): Promise<string[] | undefined> {
  const { subscriptionId } = context.settings;
  const path = `/subscriptions/${subscriptionId}/resourcegroups?api-version=2021-04-01`;
  const { answer } = await askArm(context, path, ARM_RETRIES);
  const { value, nextLink } = isObject(answer.json) ? answer.json : {};
  // On half a list, a group that is not there may still be one that the identity reads.
  if (!Array.isArray(value) || nextLink) return undefined;
  return (value as unknown[]).flatMap((group) =>
    isObject(group) && typeof group.name === "string" ? [group.name] : [],
  );
}

/** What can't be found out does not count: the 403 itself is the failure. */
function asUnknown(error: unknown): undefined {
  if (error instanceof VerifyError) return undefined;
  throw error;
}
