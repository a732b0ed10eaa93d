import { NOT_ARM_HINT, toArmCameBack, toRoleCommands } from "./arm-failures";
import { ARM_RETRIES, askArm, type ArmContext } from "./arm-request";
import { getScope } from "./config";
import { VerifyError, type Asked } from "./errors";
import { isObject } from "./json";

/** What one role lets its holder do on a scope. In the patterns, `*` stands for any text. */
export interface Permission {
  /** Patterns of control plane actions, such as `Microsoft.Compute/virtualMachines/read`. */
  actions: string[];
  /** Patterns that are taken out of the actions again. */
  notActions: string[];
  /** Patterns of data plane actions: Reader has none. */
  dataActions: string[];
}

/** The permissions and what there is to say about them. */
export interface PermissionsCheck {
  /** One entry for each role; absent when they can't be read. */
  permissions?: Permission[];
  warnings: VerifyError[];
}

/** What Reader may do ("Azure built-in roles", Reader). */
const READER_ACTION = "*/read";

const READ_GROUP_ACTION = "Microsoft.Resources/subscriptions/resourceGroups/read";

/**
 * Checks for least privilege: what the identity may do on the resource group must be what Reader may, and nothing wider
 * ("Permissions - List For Resource Group"). Anything else is a warning, also that they can't be read.
 * @throws VerifyError `INTERRUPTED` only
 */
export async function checkPermissions(context: ArmContext): Promise<PermissionsCheck> {
  try {
    const { asked, permissions } = await getPermissions(context);
    return { permissions, warnings: judge(permissions, asked, context) };
  } catch (error) {
    if (!(error instanceof VerifyError) || error.code === "INTERRUPTED") throw error;
    const { asked, cameBack } = error;
    if (context.waiting.signal.aborted) {
      throw new VerifyError("INTERRUPTED", {
        message: "Interrupted while waiting for the permissions.",
        hint: "The resource group was read. Run verify again.",
        asked,
        cameBack,
      });
    }
    const warning = new VerifyError("PERMISSIONS_UNKNOWN", {
      message: `What else the identity may do can't be told: ${error.message}`,
      hint: "The resource group could be read all the same. Run verify again, or look at the role assignments.",
      commands: [toRoleCommands(context)[0]],
      asked,
      cameBack,
    });
    return { warnings: [warning] };
  }
}

/**
 * Asks ARM what the identity may do on the resource group.
 * @throws VerifyError as `askArm`; `ARM_BAD_ANSWER` also for a list that goes on elsewhere
 */
export async function getPermissions(
  context: ArmContext,
): Promise<{ asked: Asked; permissions: Permission[] }> {
  const scope = getScope(context.settings);
  const { asked, answer } = await askArm(
    context,
    `${scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01`,
    ARM_RETRIES,
  );
  const permissions = readPermissions(answer.json);
  if (permissions) return { asked, permissions };
  throw new VerifyError("ARM_BAD_ANSWER", {
    message: "The answer to the permissions request is not a complete list of permissions.",
    hint: NOT_ARM_HINT,
    asked,
    cameBack: toArmCameBack(answer),
  });
}

/** The wire form; undefined if it is none, or only a part: half a list would make an identity look harmless. */
export function readPermissions(json: unknown): Permission[] | undefined {
  if (!isObject(json) || !Array.isArray(json.value) || json.nextLink) return undefined;
  const permissions = (json.value as unknown[]).map(readPermission);
  return permissions.every((permission) => permission !== undefined) ? permissions : undefined;
}

function readPermission(json: unknown): Permission | undefined {
  if (!isObject(json)) return undefined;
  const [actions, notActions, dataActions] = [
    readPatterns(json.actions),
    readPatterns(json.notActions),
    readPatterns(json.dataActions),
  ];
  return actions && notActions && dataActions ? { actions, notActions, dataActions } : undefined;
}

function readPatterns(json: unknown = []): string[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const patterns: unknown[] = json;
  return patterns.every((pattern) => typeof pattern === "string") ? patterns : undefined;
}

/** Whether a role lets its holder read the resource group itself. */
export function mayReadGroup(permissions: readonly Permission[]): boolean {
  return permissions.some(
    ({ actions, notActions }) =>
      actions.some((pattern) => covers(pattern, READ_GROUP_ACTION)) &&
      !notActions.some((pattern) => covers(pattern, READ_GROUP_ACTION)),
  );
}

/** Whether an action is among those of a pattern, as RBAC matches them: in any casing. */
function covers(pattern: string, action: string): boolean {
  const literals = pattern.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join(".*")}$`, "i").test(action);
}

function judge(
  permissions: readonly Permission[],
  asked: Asked,
  context: ArmContext,
): VerifyError[] {
  const wider = permissions.flatMap(({ actions, dataActions }) => [
    ...actions.filter((action) => !/\/read$/i.test(action)),
    ...dataActions.map((action) => `${action} (data)`),
  ]);
  const isReader = permissions.some(
    ({ actions, notActions }) =>
      actions.some((action) => ["*", READER_ACTION].includes(action.toLowerCase())) &&
      // What ends in anything can take out something to read.
      !notActions.some((action) => /(\/read|\*)$/i.test(action)),
  );
  const [listCommand] = toRoleCommands(context);
  const warnings: VerifyError[] = [];
  if (wider.length > 0) {
    const names = wider.slice(0, 5).join(", ") + (wider.length > 5 ? ", …" : "");
    warnings.push(
      new VerifyError("TOO_MUCH_PRIVILEGE", {
        message: `The identity may do more than read: ${names}.`,
        hint: "It has other roles than Reader, here or further up. Whoever gets into the VM has them, too.",
        commands: [
          listCommand,
          'az role assignment delete --ids "<id of the role assignment that is too much>"',
        ],
        asked,
      }),
    );
  }
  if (!isReader) {
    warnings.push(
      new VerifyError("NOT_READER", {
        message: "The identity may read less than Reader may.",
        hint: `None of its roles has ${READER_ACTION} without exceptions. It reads the resource group, but not all that is in it.`,
        commands: [listCommand],
        asked,
      }),
    );
  }
  return warnings;
}
