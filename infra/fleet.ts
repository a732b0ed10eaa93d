/** The most VMs that the stack makes: their addresses must fit into the subnet, which has 251 to give. */
export const MAX_VM_COUNT = 200;

/**
 * The name of one of several of a kind, logical or in Azure: `vm`, `vm-2`, `vm-3`. It depends on nothing but
 * its place, so that adding or removing one renames, and so replaces, no other. The first has no number: a
 * stack with one VM has no fleet to think of.
 *
 * @param place 1 for the first
 */
export function nameInFleet(name: string, place: number): string {
  return place === 1 ? name : `${name}-${place}`;
}
