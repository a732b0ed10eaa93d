import { describe, expect, test } from "vitest";

/** Rows of a rule's table: values that Azure takes, and values that it refuses with a part of what is said about each. */
interface Cases<T> {
  rule: (value: T) => string | undefined;
  accepted: T[];
  refused: [value: T, reason: string][];
}

/** Tests a rule, a row each. */
export function testRule<T>(name: string, { rule, accepted, refused }: Cases<T>): void {
  describe(name, () => {
    test.each(accepted.map((value) => [value]))("accepts %j", (value) => {
      expect(rule(value)).toBeUndefined();
    });
    test.each(refused)("refuses %j: %s", (value, reason) => {
      expect(rule(value)).toContain(reason);
    });
  });
}
