import type { Target } from "./target";

/** Aligns the first column left, the others right; a line for each row. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

/** The targets with what was measured and whether that is enough; a line each. */
export function formatTargets(targets: readonly Target[]): string[] {
  return formatTable(
    targets.map(({ description, measured, limit, isMet }) => [
      `  ${description}`,
      formatNumber(measured),
      `at most ${formatNumber(limit)}`,
      isMet ? "met" : "MISSED",
    ]),
  );
}

/** A number of units in thousands of them; "-" where nothing was measured. */
export function formatThousands(value: number | null): string {
  return value === null ? "-" : (value / 1_000).toFixed(1);
}

/** With three digits after the point: what just misses its target must not look as if it met it. */
function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
