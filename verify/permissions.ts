import { NOT_ARM_HINT, toArmCameBack, toRoleCommands } from "./arm-failures";
import { ARM_RETRIES, askArm, type ArmContext } from "./arm-request";
import { getScope } from "./config";
import { VerifyError, type Asked } from "./errors";
import { isObject } from "./json";

/** What an identity may do on a scope, all its roles taken together. */
export interface Permissions {
  /** Patterns of control plane actions, such as `Microsoft.Compute/virtualMachines/read`. */
  actions: string[];
  /** Patterns that are taken out of the actions again, role by role. */
  notActions: string[];
  /** Patterns of data plane actions: Reader has none. */
  dataActions: string[];
}

/** The permissions and what there is to say about them. */
export interface PermissionsCheck {
  /** Absent when they can't be read. */
  permissions?: Permissions;
  warnings: VerifyError[];
}

/** What Reader may do ("Azure built-in roles", Reader). */
const READER_ACTION = "*/read";

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
    const warning = new VerifyError("PERMISSIONS_UNKNOWN", {
      message: `What else the identity may do can't be told: ${error.message}`,
      hint: "The resource group could be read all the same. Run verify again, or look at the role assignments.",
      commands: [toRoleCommands(context)[0]],
      ...(asked && { asked }),
      ...(cameBack && { cameBack }),
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
): Promise<{ asked: Asked; permissions: Permissions }> {
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

/**
 * The wire form, one entry a role, put together; undefined if it is none, or only a part: half a list would make an
 * identity look harmless.
 */
export function readPermissions(json: unknown): Permissions | undefined {
  if (!isObject(json) || !Array.isArray(json.value) || json.nextLink) return undefined;
  const all: Permissions = { actions: [], notActions: [], dataActions: [] };
  for (const entry of json.value as unknown[]) {
    if (!isObject(entry)) return undefined;
    for (const [name, list] of Object.entries(all) as [string, string[]][]) {
      const patterns = entry[name] ?? [];
      if (!Array.isArray(patterns)) return undefined;
      for (const pattern of patterns as unknown[]) {
        if (typeof pattern !== "string") return undefined;
        if (!list.includes(pattern)) list.push(pattern);
      }
    }
  }
  return all;
}

/** Whether the actions let the holder read resource groups; what is taken out again is not looked at. */
export function mayRead({ actions }: Permissions): boolean {
  return actions.some((action) => ["*", READER_ACTION].includes(action.toLowerCase()));
}

function judge(permissions: Permissions, asked: Asked, context: ArmContext): VerifyError[] {
  const { actions, dataActions } = permissions;
  const wider = [
    ...actions.filter((action) => !/\/read$/i.test(action)),
    ...dataActions.map((action) => `${action} (data)`),
  ];
  const warnings: VerifyError[] = [];
  if (wider.length > 0) {
    warnings.push(
      new VerifyError("TOO_MUCH_PRIVILEGE", {
        message: `The identity may do more than read: ${wider.slice(0, 5).join(", ")}${wider.length > 5 ? ", …" : ""}.`,
        hint: "It has other roles than Reader, here or further up. Whoever gets into the VM has them, too.",
        commands: [
          toRoleCommands(context)[0],
          "az role assignment delete --ids <role assignment's id>",
        ],
        asked,
      }),
    );
  }
  if (!mayRead(permissions)) {
    warnings.push(
      new VerifyError("NOT_READER", {
        message: `The identity may read less than Reader may: ${READER_ACTION} is not among its actions.`,
        hint: "It could read the resource group itself, but may not read what is in it.",
        commands: [toRoleCommands(context)[0]],
        asked,
      }),
    );
  }
  return warnings;
}
