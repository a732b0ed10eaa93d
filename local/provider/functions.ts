import type { Azure } from "./crud";
import { NotSimulatedError } from "./errors";
import { keysOf, pathInputs } from "./resource-kind";
import { findKnownKind } from "./resources";
import { toOutputs } from "./shape";
import type { PropertyMap } from "./struct";

/**
 * What azure-native's function such as `managedidentity:getUserAssignedIdentity` returns: the outputs of
 * that resource and its id. There is one for each resource type, whose arguments are the keys in its id.
 * @throws NotSimulatedError for a function or an argument that the stand-in doesn't know
 */
export async function readByFunction(
  azure: Azure,
  token: string,
  args: PropertyMap,
): Promise<PropertyMap> {
  const kind = findKnownKind(token.replace(/:get(?=\w+$)/, ":"));
  if (kind === undefined || !/:get\w+$/.test(token)) {
    throw new NotSimulatedError(
      `The stand-in for azure-native doesn't know the function '${token}'.`,
    );
  }
  const known = [...pathInputs(kind), ...(kind.canExpand ? ["expand"] : [])];
  const unknown = Object.keys(args).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new NotSimulatedError(
      `The stand-in for azure-native doesn't know the argument '${unknown}' of '${token}'.`,
    );
  }
  const { expand } = args;
  const response = await kind.get(
    azure.clients,
    keysOf(kind, args),
    typeof expand === "string" ? expand : undefined,
  );
  const { id } = response as { id?: string };
  return { ...toOutputs(kind, response), ...(id === undefined ? {} : { id }) };
}
