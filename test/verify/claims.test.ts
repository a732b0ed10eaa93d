import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createInstanceAnswer,
  createSubject,
  createToken,
  createTokenAnswer,
  getIdentityId,
  getVmId,
  type Subject,
} from "./azure-answers";
import { runVerify, useBundle } from "./runs";

const getBundle = useBundle();

const HOUR = 3_600;

/** An answer whose token has other claims. */
const withClaims = (subject: Subject, audience: string, claims: object) =>
  createTokenAnswer(subject, audience, { access_token: createToken(subject, audience, claims) });

describe.concurrent("a token whose claims are wrong", () => {
  it.each<{
    name: string;
    claims?: (subject: Subject) => object;
    fields?: object;
    code: FailureCode;
    exitCode: number;
    causes?: string[];
  }>([
    {
      name: "another identity's client id",
      claims: () => ({ appid: randomUUID() }),
      code: "WRONG_IDENTITY",
      exitCode: 22,
      causes: ["SOMETHING_ELSE_ANSWERS"],
    },
    {
      name: "the VM's own identity, which a policy may have added",
      claims: (subject) => ({ appid: randomUUID(), xms_mirid: getVmId(subject) }),
      code: "WRONG_IDENTITY",
      exitCode: 22,
      causes: ["SYSTEM_ASSIGNED_IDENTITY", "SOMETHING_ELSE_ANSWERS"],
    },
    {
      name: "another client id beside a token that can't be read",
      fields: { access_token: "x".repeat(60), client_id: randomUUID() },
      code: "WRONG_IDENTITY",
      exitCode: 22,
    },
    {
      name: "another service's audience",
      claims: () => ({ aud: "https://vault.azure.net" }),
      code: "TOKEN_WRONG_AUDIENCE",
      exitCode: 43,
    },
    {
      name: "an end an hour ago",
      claims: ({ now }) => ({ exp: now - HOUR }),
      code: "TOKEN_EXPIRED",
      exitCode: 41,
    },
  ])("$name: $code, and it is sent nowhere", async (row) => {
    const { run, report, azure } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [
          row.fields
            ? createTokenAnswer(subject, audience, row.fields)
            : withClaims(subject, audience, row.claims?.(subject) ?? {}),
        ],
      }),
    });

    expect(run.exitCode).toBe(row.exitCode);
    expect(report.error).toMatchObject({ code: row.code, cameBack: { status: 200 } });
    expect(report.error?.asked?.url).toContain("/metadata/identity/oauth2/token?");
    if (row.causes) expect(report.error?.causes.map(({ code }) => code)).toEqual(row.causes);
    expect(report.steps.map(({ name, status }) => `${name} ${status}`)).toContain("claims failed");
    expect(azure.countRequests()).toEqual({ token: 1 });
  });
});

describe.concurrent("a token whose claims are unusual but right", () => {
  it.each<[string, (audience: string) => object]>([
    ["no slash at the audience's end", (audience) => ({ aud: audience.slice(0, -1) })],
    ["the client id in capitals", () => ({})],
    ["no claim but one", () => ({ aud: undefined, appid: undefined, exp: undefined })],
    ["an end just now, within what clocks may differ", () => ({ exp: Date.now() / 1_000 - 60 })],
  ])("%s", async (name, getClaims) => {
    const subject = createSubject();
    const { report, azure } = await runVerify(getBundle(), {
      subject: name.includes("capitals")
        ? { ...subject, clientId: subject.clientId.toUpperCase() }
        : subject,
      replies: (_subject, audience) => ({
        token: [withClaims(subject, audience, getClaims(audience))],
      }),
    });

    expect(report.error).toBeUndefined();
    expect(azure.countRequests()).toEqual({ token: 1, group: 1, permissions: 1 });
  });

  it("has the older audience of its cloud", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      args: ["--wait", "0", "--timeout", "1"],
      // A proxy that is not there keeps the run on this machine.
      env: {
        AZURE_RESOURCE_MANAGER_ENDPOINT: "https://management.azure.com",
        HTTPS_PROXY: "http://127.0.0.1:9",
      },
      replies: (subject) => ({
        token: [withClaims(subject, "", { aud: "https://management.core.windows.net" })],
        instance: [createInstanceAnswer(subject)],
      }),
    });

    expect(report.error?.code).toBe("ARM_PROXY_FAILED");
    expect(azure.countRequests()).toEqual({ token: 1 });
  });
});

describe.concurrent("the report on the token", () => {
  it("tells whose it is, what for, and how long", async () => {
    const { report, subject, azure } = await runVerify(getBundle());

    expect(report.identity).toEqual({
      clientId: subject.clientId,
      principalId: subject.principalId,
      tenantId: subject.tenantId,
      resourceId: getIdentityId(subject),
      vmResourceId: getVmId(subject),
      tokenAudience: `${azure.arm.url}/`,
      tokenIssuedOn: new Date((subject.now - 300) * 1_000).toISOString(),
      tokenExpiresOn: new Date((subject.now + 86_400) * 1_000).toISOString(),
      tokenSecondsLeft: expect.any(Number) as number,
    });
    expect(report.identity?.tokenSecondsLeft).toBeGreaterThan(86_300);
    expect(report.identity?.tokenSecondsLeft).toBeLessThanOrEqual(86_402);
    expect(report.clockSkewSeconds).toBeCloseTo(0, -1);
  });
});

describe.concurrent("a clock that is wrong", () => {
  /** IMDS as it answers where the true time is so many seconds from this machine's. */
  const createReplies = (secondsBehind: number) => (subject: Subject, audience: string) => {
    const now = subject.now + secondsBehind;
    const answer = createTokenAnswer({ ...subject, now }, audience);
    const date = new Date(now * 1_000).toUTCString();
    return { token: [{ ...answer, headers: { ...answer.headers, date } }] };
  };

  it.each([
    [HOUR, -HOUR],
    [-HOUR, HOUR],
    // A token of this clock's tomorrow or of yesterday is a good one all the same.
    [48 * HOUR, -48 * HOUR],
    [-48 * HOUR, 48 * HOUR],
  ])("by %d s is a warning", async (secondsBehind, skewSeconds) => {
    const { run, report } = await runVerify(getBundle(), { replies: createReplies(secondsBehind) });

    expect(run.exitCode).toBe(0);
    expect(report.warnings.map(({ code }) => code)).toEqual(["CLOCK_WRONG"]);
    expect(report.steps[3]).toMatchObject({ name: "claims", status: "warning" });
    expect(Math.abs((report.clockSkewSeconds ?? 0) - skewSeconds)).toBeLessThan(5);
    expect(Math.abs((report.identity?.tokenSecondsLeft ?? 0) - 86_400)).toBeLessThan(5);
  });

  it("is a failure with --strict", async () => {
    const { run, report } = await runVerify(getBundle(), {
      args: ["--strict"],
      replies: createReplies(HOUR),
    });

    expect(run.exitCode).toBe(44);
    expect(report).toMatchObject({ error: { code: "CLOCK_WRONG" }, warnings: [] });
  });

  it.each([60, -60])("by %d s is none", async (secondsBehind) => {
    const { report } = await runVerify(getBundle(), { replies: createReplies(secondsBehind) });

    expect(report.warnings).toEqual([]);
  });

  it("does not make a token look expired when nobody tells the time", async () => {
    const { report, azure } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [
          (response) => {
            response.sendDate = false;
            const earlier = { ...subject, now: subject.now - 48 * HOUR };
            response.end(JSON.stringify(createTokenAnswer(earlier, audience).body));
          },
        ],
      }),
    });

    expect(report.error).toBeUndefined();
    expect(azure.countRequests()).toMatchObject({ group: 1 });
  });

  it("shows without a date, by a token that is not valid yet", async () => {
    const { report } = await runVerify(getBundle(), {
      replies: (subject, audience) => ({
        token: [
          (response) => {
            response.sendDate = false;
            const later = { ...subject, now: subject.now + HOUR };
            response.end(JSON.stringify(createTokenAnswer(later, audience).body));
          },
        ],
      }),
    });

    expect(report.warnings.map(({ code }) => code)).toEqual(["CLOCK_WRONG"]);
  });

  it("is not what an expired certificate is about when the clock is right", async () => {
    const { report } = await runVerify(getBundle(), {
      certificate: getBundle().expiredCertificate,
    });

    expect(report.error).toMatchObject({
      code: "ARM_NOT_TRUSTED",
      cameBack: { code: "CERT_HAS_EXPIRED" },
    });
  });

  it("explains a certificate that looks expired", async () => {
    const { run, report } = await runVerify(getBundle(), {
      replies: createReplies(-HOUR),
      certificate: getBundle().expiredCertificate,
    });

    expect(run.exitCode).toBe(44);
    expect(report.error).toMatchObject({
      code: "CLOCK_WRONG",
      cameBack: { code: "CERT_HAS_EXPIRED" },
    });
  });
});
