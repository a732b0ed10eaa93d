import { describe, expect, it } from "vitest";
import { redact } from "../../verify/redaction";

const SECRET = "abcdefghijklmnopqrstuvwxyz";

describe("redact", () => {
  it.each([
    ["the whole secret", `x ${SECRET} y`, "x [redacted] y"],
    ["the secret at both ends", `${SECRET} ${SECRET}`, "[redacted] [redacted]"],
    ["a piece of it", "x-cdefghijklmnop-y", "x-[redacted]-y"],
    ["its last characters", "=opqrstuvwxyz", "=[redacted]"],
    ["eleven characters of it", "abcdefghijk", "abcdefghijk"],
    ["nothing of it", "the quick brown fox", "the quick brown fox"],
    ["nothing at all", "", ""],
  ])("takes out %s", (_name, text, expected) => {
    expect(redact(text, [SECRET])).toBe(expected);
  });

  it("takes out a secret shorter than a piece, and several secrets", () => {
    expect(redact("pin 1234, pin 98765", ["1234", "98765"])).toBe("pin [redacted], pin [redacted]");
  });
});
