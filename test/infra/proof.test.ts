import { expect, test } from "vitest";
import { findProofFailure } from "../../infra/proof";

test.each(["Succeeded", "Unknown", "Pending", "Running", "Updating"])(
  "a run that is %s has not failed",
  (state) => {
    expect(findProofFailure({ state, exitCode: 0 }, { name: "vm", place: 1 })).toBeUndefined();
  },
);

test.each([
  [
    { state: "Failed", exitCode: 30 },
    1,
    "verify ended on vm as: Failed, exit code 30.",
    "'**::verify'",
  ],
  [{ state: "TimedOut" }, 2, "verify ended on vm as: TimedOut.", "'**::verify-2'"],
  [{ state: "Canceled" }, 1, "verify ended on vm as: Canceled.", "'**::verify'"],
])("a failed run, %j, is told with the command that runs it again", (result, place, text, urn) => {
  const failure = findProofFailure(result, { name: "vm", place });
  expect(failure).toContain(text);
  expect(failure).toContain(`pulumi up --replace ${urn}`);
});
