import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join, relative } from "node:path";

import { describe, expect, test } from "vitest";

import { findExecutable } from "../../../local/pulumi-cli/executable";
import { makeFolder, NO_SHELL_SCRIPTS, writeScript } from "./fixtures";

describe.skipIf(NO_SHELL_SCRIPTS)("findExecutable", () => {
  test("takes the first folder that has one, past folders and plain files of that name", async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, "a", "tool"), { recursive: true });
    mkdirSync(join(folder, "b"));
    writeFileSync(join(folder, "b", "tool"), "", { mode: 0o644 });
    const expected = writeScript(join(folder, "c", "tool"), "true");
    writeScript(join(folder, "d", "tool"), "true");
    const PATH = ["missing", "a", "b", "c", "d"].map((name) => join(folder, name)).join(delimiter);

    expect(await findExecutable("tool", { PATH })).toBe(expected);
  });

  test.each([{ PATH: "" }, { PATH: delimiter }, {}])("finds nothing with %j", async (env) => {
    const path = writeScript(join(makeFolder(), "tool"), "true");

    // An empty entry of PATH stands for the working directory, from where this would be found.
    expect(await findExecutable(relative(process.cwd(), path), env)).toBeUndefined();
  });
});
