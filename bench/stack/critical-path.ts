/** The part of a resource's state that says what it waits for. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** Whether there is something to create; a component only groups others. */
  readonly custom: boolean;
  readonly parent?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>>;
}

/**
 * How deep each resource of a state lies: the number of resources in the longest chain of dependencies that ends with it.
 * Of the engine's own entries there are none: the stack and the providers cost no operation.
 */
export function getDepths(resources: readonly StateResource[]): number[] {
  const depths = new Map<string, number>();
  // A state lists each resource after those that it depends on.
  for (const resource of resources) {
    if (!isOperation(resource)) continue;
    const waitsFor = [
      ...(resource.dependencies ?? []),
      ...Object.values(resource.propertyDependencies ?? {}).flatMap((urns) => urns ?? []),
      ...(resource.parent === undefined ? [] : [resource.parent]),
    ];
    depths.set(resource.urn, 1 + Math.max(0, ...waitsFor.map((urn) => depths.get(urn) ?? 0)));
  }
  return [...depths.values()];
}

/** The types of all resources that cost an operation, as often as they occur, in alphabetical order. */
export function listTypes(resources: readonly StateResource[]): string[] {
  return resources
    .filter(isOperation)
    .map(({ type }) => type)
    .sort();
}

function isOperation({ custom, type }: StateResource): boolean {
  return custom && !type.startsWith("pulumi:");
}

/**
 * The least time in which resources can be created that take equally long, when no more than `parallel` are under way at
 * once. None from a depth on can begin before the chain above it is through, and then they come in batches. With as
 * much room as there are resources, this is the critical path.
 */
export function getLowerBoundMs(
  depths: readonly number[],
  operationMs: number,
  parallel: number,
): number {
  const deepest = Math.max(0, ...depths);
  const bounds = Array.from({ length: deepest }, (_, above) => {
    const below = depths.filter((depth) => depth > above).length;
    return (above + Math.ceil(below / parallel)) * operationMs;
  });
  return Math.max(0, ...bounds);
}
