/** Something that what is measured has to keep to. */
export interface Target {
  readonly description: string;
  readonly measured: number;
  readonly limit: number;
  readonly isMet: boolean;
}

/**
 * Holds a measure against its limit.
 *
 * @throws {Error} when there is nothing to compare
 */
export function atMost(description: string, measured: number | null, limit: number | null): Target {
  if (measured === null || limit === null) throw new Error(`${description}: not measured.`);
  return { description, measured, limit, isMet: measured <= limit };
}
