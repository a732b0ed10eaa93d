import { describe, expect, it } from "vitest";
import type { FailureCode } from "../../verify/errors";
import {
  createArmError,
  createGroupAnswer,
  createImdsError,
  createToken,
  createTokenAnswer,
} from "./azure-answers";
import type { Call } from "./fake-azure";
import { runVerify, useBundle } from "./runs";
import { cut, type Reply } from "./servers";

const getBundle = useBundle();

/** Nothing is tried again. */
const ARGS = ["--wait", "0"];
/** For calls that are not meant to be answered in time; others may be slow on a busy machine. */
const SHORT = ["--timeout", "2.5"];
/** Far above the bound of the calls one after the other, since the machine may be busy. */
const MAX_DURATION_MS = 20_000;

const JSON_TYPE = { "content-type": "application/json" };

const drip: Reply = (response) => {
  response.writeHead(200, JSON_TYPE);
  const timer = setInterval(() => response.write(" "), 50);
  response.on("close", () => {
    clearInterval(timer);
  });
};

/** A body of 1 GB, as long as somebody reads it. */
const huge: Reply = (response) => {
  response.writeHead(200, { ...JSON_TYPE, "content-length": String(2 ** 30) });
  const chunk = "x".repeat(64 * 1024);
  const write = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", write);
  write();
};

type Fault =
  | "reset"
  | "reset in mid-body"
  | "slow drip"
  | "silence"
  | "empty"
  | "HTML"
  | "invalid JSON"
  | "JSON of another type"
  | "wrong types"
  | "1 GB"
  | "no HTTP"
  | "redirect"
  | "bad request"
  | "401"
  | "403"
  | "404"
  | "410"
  | "server error"
  | "throttled";

const transportFaults: Record<Exclude<Fault, "wrong types" | "bad request">, Reply> = {
  reset: (_response, socket) => {
    cut(socket);
  },
  "reset in mid-body": (response, socket) => {
    response.writeHead(200, { ...JSON_TYPE, "content-length": "5000" });
    response.write('{"access_token":"eyJ', () => {
      cut(socket);
    });
  },
  "slow drip": drip,
  silence: () => undefined,
  empty: { status: 200, headers: JSON_TYPE },
  HTML: { status: 200, headers: { "content-type": "text/html" }, body: "<html>Log in</html>" },
  "invalid JSON": { status: 200, headers: JSON_TYPE, body: '{"access_token":"eyJ0eXAiOiJKV1Qi' },
  "JSON of another type": { status: 200, headers: JSON_TYPE, body: '["text", null, 42]' },
  "1 GB": huge,
  "no HTTP": (_response, socket) => socket.end("SSH-2.0-server\r\n\r\n"),
  redirect: { status: 307, headers: { location: "http://127.0.0.1:9/elsewhere" } },
  "401": { status: 401 },
  "403": { status: 403 },
  "404": { status: 404 },
  "410": { status: 410 },
  "server error": { status: 503 },
  throttled: { status: 429 },
};

/** Right in form, wrong in every type. */
const wrongTypes: Record<Call, object> = {
  instance: { subscriptionId: 1, resourceGroupName: {}, tagsList: "x", azEnvironment: [] },
  token: { access_token: { a: 1 }, token_type: ["Bearer"], client_id: 5, expires_on: {} },
  group: { id: 1, name: [], location: {}, tags: "x", properties: { provisioningState: false } },
  permissions: { value: [{ actions: { "*/read": true }, dataActions: 1 }] },
  groups: { value: [1, { name: 2 }, null, { id: "x" }] },
};

const badRequest = (call: Call): Reply =>
  call === "instance" || call === "token"
    ? createImdsError(400, "bad_request", "Told by the service.")
    : createArmError(400, "BadRequest");

/** What each fault in IMDS' or ARM's answers is to be told as. */
const imdsCodes: Record<Fault, FailureCode> = {
  reset: "IMDS_UNREACHABLE",
  "reset in mid-body": "IMDS_UNREACHABLE",
  "slow drip": "IMDS_TIMEOUT",
  silence: "IMDS_TIMEOUT",
  empty: "IMDS_BAD_ANSWER",
  HTML: "IMDS_BAD_ANSWER",
  "invalid JSON": "IMDS_BAD_ANSWER",
  "JSON of another type": "IMDS_BAD_ANSWER",
  "wrong types": "IMDS_BAD_ANSWER",
  "1 GB": "IMDS_BAD_ANSWER",
  "no HTTP": "IMDS_BAD_ANSWER",
  redirect: "IMDS_BAD_ANSWER",
  "bad request": "IMDS_REFUSED",
  "401": "IMDS_DENIED",
  "403": "IMDS_DENIED",
  "404": "IMDS_UNAVAILABLE",
  "410": "IMDS_UNAVAILABLE",
  "server error": "IMDS_UNAVAILABLE",
  throttled: "IMDS_THROTTLED",
};
const armCodes: Record<Fault, FailureCode> = {
  reset: "ARM_UNREACHABLE",
  "reset in mid-body": "ARM_UNREACHABLE",
  "slow drip": "ARM_TIMEOUT",
  silence: "ARM_TIMEOUT",
  empty: "ARM_BAD_ANSWER",
  HTML: "ARM_BAD_ANSWER",
  "invalid JSON": "ARM_BAD_ANSWER",
  "JSON of another type": "ARM_BAD_ANSWER",
  "wrong types": "ARM_BAD_ANSWER",
  "1 GB": "ARM_BAD_ANSWER",
  "no HTTP": "ARM_BAD_ANSWER",
  redirect: "ARM_BAD_ANSWER",
  "bad request": "ARM_REFUSED",
  // With nothing in it that is ARM's.
  "401": "ARM_BAD_ANSWER",
  "403": "ARM_BAD_ANSWER",
  "404": "ARM_BAD_ANSWER",
  "410": "ARM_BAD_ANSWER",
  "server error": "ARM_UNAVAILABLE",
  throttled: "ARM_THROTTLED",
};

/** What a run with a fault in one call comes to. */
function expectedOf(call: Call, fault: Fault): { error?: FailureCode; warning?: FailureCode } {
  switch (call) {
    case "instance":
    case "token":
      return { error: imdsCodes[fault] };
    case "group":
      return { error: armCodes[fault] };
    case "permissions":
      return { warning: "PERMISSIONS_UNKNOWN" };
    // It only explains the 403 that is there anyway.
    case "groups":
      return { error: "ACCESS_DENIED" };
  }
}

const calls: Call[] = ["instance", "token", "group", "permissions", "groups"];
const matrix = calls.flatMap((call) =>
  (Object.keys(imdsCodes) as Fault[]).map((fault) => ({ call, fault })),
);

describe.concurrent("a fault in one call", () => {
  it.each(matrix)("$call: $fault", async ({ call, fault }) => {
    const reply =
      fault === "wrong types"
        ? { status: 200, body: wrongTypes[call] }
        : fault === "bad request"
          ? badRequest(call)
          : transportFaults[fault];
    const denied = createArmError(403, "AuthorizationFailed");
    const { run, report, azure } = await runVerify(getBundle(), {
      args: fault === "silence" || fault === "slow drip" ? [...ARGS, ...SHORT] : ARGS,
      env: call === "instance" ? { AZURE_RESOURCE_GROUP: undefined } : {},
      replies: {
        ...(call === "groups" ? { group: [denied], permissions: [denied] } : {}),
        [call]: [reply],
      },
    });

    const { error, warning } = expectedOf(call, fault);
    expect(report.error?.code).toBe(error);
    expect(report.warnings.map(({ code }) => code)).toEqual(warning ? [warning] : []);
    expect(run.exitCode === 0).toBe(!error);
    expect(azure.listRequests(call)).toHaveLength(1);
    expect(run.durationMs).toBeLessThan(MAX_DURATION_MS);
  });
});

describe.concurrent("a service that nobody answers for", () => {
  const gone = { AZURE_POD_IDENTITY_AUTHORITY_HOST: "http://127.0.0.1:1" };

  it.each<{ name: string; env: Record<string, string | undefined>; code: FailureCode }>([
    {
      name: "IMDS, asked for the VM",
      env: { ...gone, AZURE_CLIENT_ID: undefined },
      code: "IMDS_UNREACHABLE",
    },
    { name: "IMDS, asked for the token", env: gone, code: "IMDS_UNREACHABLE" },
  ])("$name: $code, at once", async ({ env, code }) => {
    const { run, report } = await runVerify(getBundle(), { env });

    expect(report.error).toMatchObject({ code, cameBack: { code: "ECONNREFUSED" } });
    expect(report.error?.causes.map((cause) => cause.code)).toEqual([
      "NOT_AN_AZURE_VM",
      "CONTAINER_NETWORK",
      "ROUTE_OR_FIREWALL",
    ]);
    expect(run.durationMs).toBeLessThan(8_000);
  });

  it("ARM: ARM_UNREACHABLE, at once", async () => {
    const { run, report } = await runVerify(getBundle(), {
      args: ["--arm-endpoint", "https://127.0.0.1:1"],
      replies: (subject, audience) => ({
        token: [
          createTokenAnswer(subject, audience, {
            access_token: createToken(subject, "https://127.0.0.1:1/"),
          }),
        ],
      }),
    });

    expect(report.error).toMatchObject({
      code: "ARM_UNREACHABLE",
      cameBack: { code: "ECONNREFUSED" },
    });
    expect(run.durationMs).toBeLessThan(8_000);
  });

  it.each<{ call: Call; error?: FailureCode; warnings: FailureCode[] }>([
    { call: "permissions", warnings: ["PERMISSIONS_UNKNOWN"] },
    { call: "groups", error: "ACCESS_DENIED", warnings: [] },
  ])("ARM, from $call on: $error $warnings", async ({ error, warnings }) => {
    let goAway = (): Promise<void> => Promise.resolve();
    const { report } = await runVerify(getBundle(), {
      args: ARGS,
      env: ({ arm }) => {
        goAway = () => arm.close();
        return {};
      },
      replies: (subject) => {
        const { status, body } = error
          ? createArmError(403, "AuthorizationFailed")
          : createGroupAnswer(subject);
        return {
          group: [
            (response) => {
              response.writeHead(status, { ...JSON_TYPE, connection: "close" });
              response.end(JSON.stringify(body), () => void goAway());
            },
          ],
        };
      },
    });

    expect(report.error?.code).toBe(error);
    expect(report.warnings.map(({ code }) => code)).toEqual(warnings);
  });
});
