import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readResourceGroup } from "../../verify/arm";
import { getErrorBody } from "../../verify/arm-failures";
import { completeSettings, readGivenSettings } from "../../verify/config";
import { VerifyError } from "../../verify/errors";
import { readTokenAnswer } from "../../verify/imds";
import { readInstance } from "../../verify/instance";
import { readArguments } from "../../verify/options";
import { mayReadGroup, readPermissions } from "../../verify/permissions";
import { redact } from "../../verify/redaction";
import { readTokenClaims } from "../../verify/token";

/** Any JSON, and JSON with the field names that the guards look for, so that they get past the first check. */
const NAMES = [
  ...["access_token", "token_type", "client_id", "expires_on", "error", "code", "message", "value"],
  ...["id", "name", "location", "tags", "tagsList", "properties", "provisioningState", "nextLink"],
  ...["actions", "notActions", "dataActions", "subscriptionId", "resourceGroupName", "resourceId"],
  ...["azEnvironment", "__proto__", "constructor"],
];
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom("", "Bearer", "x".repeat(24), "*/read", "*", "x", null, true, 0, 1e300),
    fc.string(),
    fc.double(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 8 }),
  ),
})).value;

const isText = (value: unknown) => typeof value === "string";
const isTextOrAbsent = (value: unknown) => value === undefined || isText(value);

describe("the guards of the wire, whatever comes", () => {
  const check = (name: string, property: (value: unknown) => void) => {
    it(name, () => {
      fc.assert(fc.property(json, property), { numRuns: 2_000 });
    });
  };

  check("a token answer has a token that can stand in a header, or is none", (value) => {
    const answer = readTokenAnswer(value);
    if (!answer) return;
    expect(answer.token).toMatch(/^[\x21-\x7e]{20,}$/);
    expect(isTextOrAbsent(answer.clientId)).toBe(true);
    if (answer.expiresOn) expect(answer.expiresOn.toISOString()).toBeTruthy();
  });

  check("an instance has texts only", (value) => {
    const { tags, ...fields } = readInstance(value) ?? { tags: {} };
    expect(Object.values(fields).every((field) => isText(field) && field !== "")).toBe(true);
    expect(Object.values(tags).every(isText)).toBe(true);
  });

  check("a resource group is complete or none", (value) => {
    const group = readResourceGroup(value);
    if (!group) return;
    const { tags, ...fields } = group;
    expect(Object.values(fields).every(isText)).toBe(true);
    expect(Object.values(tags).every(isText)).toBe(true);
  });

  check("permissions never leave out an action that came", (value) => {
    const permissions = readPermissions(value);
    if (!permissions) return;
    const patterns = permissions.flatMap(({ actions, notActions, dataActions }) => [
      ...actions,
      ...notActions,
      ...dataActions,
    ]);
    expect(patterns.every(isText)).toBe(true);
    const { value: entries } = value as { value: { actions?: string[] }[] };
    expect(permissions.flatMap(({ actions }) => actions)).toEqual(
      entries.flatMap(({ actions = [] }) => actions),
    );
  });

  check("an error body has texts, or nothing", (value) => {
    const { code, message } = getErrorBody(value);
    expect(isTextOrAbsent(code) && isTextOrAbsent(message)).toBe(true);
  });

  check("claims have the right types", (payload) => {
    const encoded = Buffer.from(JSON.stringify(payload)).toString("base64url");
    const { issuedOn, notBefore, expiresOn, ...texts } = readTokenClaims(`x.${encoded}.y`);
    expect(Object.values(texts).every(isText)).toBe(true);
    for (const time of [issuedOn, notBefore, expiresOn]) {
      if (time) expect(time.toISOString()).toBeTruthy();
    }
  });

  it("a token can be any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (token) => {
        expect(readTokenClaims(token)).toBeTypeOf("object");
      }),
    );
  });
});

describe("the settings reader, whatever is given", () => {
  const value = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.uuid(),
    fc.webUrl(),
    fc.constantFrom("", " ", "rg", "..", "1", "1e3", "http://127.0.0.1", "https://127.0.0.1:8443/"),
  );
  /** Mostly of the right form, so that whole sets of settings get through, too. */
  const mostly = (right: fc.Arbitrary<string>) =>
    fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: value });
  const group = fc.stringMatching(/^[a-z(_.-][a-z0-9)-]{0,5}$/);
  const seconds = fc.nat(700).map(String);
  const values: Record<string, fc.Arbitrary<string>> = {
    "client-id": mostly(fc.uuid()),
    "subscription-id": mostly(fc.uuid()),
    "resource-group": mostly(group),
    "arm-endpoint": mostly(fc.webAuthority().map((host) => `https://${host}`)),
    "imds-endpoint": mostly(fc.webAuthority().map((host) => `http://${host}`)),
    wait: mostly(seconds),
    timeout: mostly(seconds),
    json: value,
    unknown: value,
  };
  const argument = fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .constantFrom(...Object.keys(values))
        .chain((name) => (values[name] ?? value).map((text) => `--${name}=${text}`)),
    },
    { weight: 2, arbitrary: fc.constantFrom("--json", "--strict", "--quiet", "--wait", "--") },
    { weight: 1, arbitrary: value },
  );
  const variables = fc.record(
    {
      AZURE_CLIENT_ID: mostly(fc.uuid()),
      AZURE_SUBSCRIPTION_ID: mostly(fc.uuid()),
      AZURE_RESOURCE_GROUP: mostly(group),
      AZURE_POD_IDENTITY_AUTHORITY_HOST: mostly(fc.constant("http://127.0.0.1:8080")),
      AZURE_RESOURCE_MANAGER_ENDPOINT: mostly(fc.constant("https://127.0.0.1:8443/")),
    },
    { requiredKeys: [] },
  );
  const instance = fc.record(
    {
      subscriptionId: mostly(fc.uuid()),
      resourceGroup: mostly(group),
      name: value,
      environment: mostly(fc.constant("AzurePublicCloud")),
      tags: fc.record({ "identity-client-id": mostly(fc.uuid()) }, { requiredKeys: [] }),
    },
    { requiredKeys: ["tags"] },
  );

  it("gives settings that are right, or one of the errors about settings", () => {
    let right = 0;
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 6 }), variables, instance, (args, env, vm) => {
        try {
          const given = readGivenSettings(readArguments(args, env), env);
          const settings = completeSettings(given, vm);
          right += 1;
          const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
          expect(settings.clientId).toMatch(guid);
          expect(settings.subscriptionId).toMatch(guid);
          expect(settings.resourceGroup).not.toMatch(/[/?#%\s]|^\.*$|\.$/);
          const arm = new URL(settings.armEndpoint);
          expect([arm.protocol, arm.origin]).toEqual(["https:", settings.armEndpoint]);
          expect(new URL(settings.imdsEndpoint).origin).toBe(settings.imdsEndpoint);
          expect(given.waitMs).toBeGreaterThanOrEqual(0);
          expect(given.timeoutMs).toBeGreaterThanOrEqual(100);
        } catch (error) {
          if (!(error instanceof VerifyError)) throw error;
          expect(["SETTINGS_INVALID", "SETTINGS_INCOMPLETE", "IDENTITY_NOT_NAMED"]).toContain(
            error.code,
          );
        }
      }),
      // Always the same cases: whether the settings are right often enough must not be left to chance.
      { numRuns: 5_000, seed: 4 },
    );
    expect(right).toBeGreaterThan(500);
  });
});

describe("the right to read the group", () => {
  const pattern = fc.string({ unit: fc.constantFrom(...Array.from("*/.+ab()[$\\")) });

  it("comes of a pattern whose stars stand for any text, and of no other", () => {
    const action = "Microsoft.Resources/subscriptions/resourceGroups/read";
    const cut = fc.tuple(fc.nat(action.length), fc.nat(action.length));
    fc.assert(
      fc.property(cut, ([from, to]) => {
        const actions = [
          `${action.slice(0, Math.min(from, to))}*${action.slice(Math.max(from, to))}`,
        ];
        const role = { actions, notActions: [], dataActions: [] };
        expect(mayReadGroup([role])).toBe(true);
        expect(mayReadGroup([{ ...role, notActions: actions }])).toBe(false);
      }),
    );
    fc.assert(
      fc.property(pattern, (text) => {
        const isAll = /^\*+$/.test(text);
        const role = { actions: [text], notActions: [], dataActions: [] };
        expect(mayReadGroup([role])).toBe(isAll);
      }),
    );
  });
});

describe("redaction, wherever a piece of the token stands", () => {
  const token = fc.string({
    minLength: 12,
    maxLength: 60,
    unit: fc.constantFrom(...Array.from("abcXYZ019-_.")),
  });

  it("leaves no twelve characters in a row of it", () => {
    fc.assert(
      fc.property(
        token,
        fc.array(fc.tuple(fc.string(), fc.nat(60), fc.nat(60)), { maxLength: 5 }),
        (secret, pieces) => {
          const text = pieces
            .map(([between, from, to]) => between + secret.slice(from, to))
            .join("");
          const redacted = redact(text, [secret]);
          for (let i = 0; i + 12 <= secret.length; i++) {
            expect(redacted).not.toContain(secret.slice(i, i + 12));
          }
        },
      ),
    );
  });
});
