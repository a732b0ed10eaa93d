import { expect, it } from "vitest";
import { getMedian } from "../../bench/statistics";

it.each([
  [[5], 5],
  [[9, 1, 5], 5],
  [[10, 1, 2, 9], 5.5],
])("the median of %j is %d", (values, median) => {
  expect(getMedian(values)).toBe(median);
});
