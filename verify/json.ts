/** Whether a parsed JSON value is an object, whose fields can then be looked at one by one. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
