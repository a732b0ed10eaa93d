import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["dist/", "coverage/", "eslint.config.mjs"] },
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Numbers in messages (ports, status codes, seconds) need no String() around them.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
    },
  },
  {
    // Each part runs alone: what runs on the VM and what `pulumi up` runs know neither each other nor the simulator.
    files: ["verify/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["**/infra/**", "**/local/**", "@pulumi/*", "@azure/*"] },
      ],
    },
  },
  {
    files: ["index.ts", "infra/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["**/verify/**", "**/local/**"] }],
    },
  },
  {
    files: ["local/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["**/verify/**", "**/infra/**"] }],
    },
  },
);
