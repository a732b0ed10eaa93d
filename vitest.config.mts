import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/global-setup.ts",
    // Most tests wait for other processes, so that every core can take one.
    maxWorkers: "100%",
    // What runs the Pulumi engine takes seconds, and more on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
