import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeJoinCode, encodeJoinCode, JoinComplaint } from "../../../src/security/join-code.js";
import { MESH_NAME_MAX_BYTES } from "../../../src/security/mesh-identity.js";

const key = new Uint8Array(32).map((_, index) => 255 - index * 3);
const code = encodeJoinCode({ mesh: "demo", key });

function complaintOf(text: string): string {
  const decoded = decodeJoinCode(text);
  return decoded.ok ? "none" : decoded.complaint;
}

describe("a join code", () => {
  it("is groups of five without I, L, O and U, and is pinned: codes are written on paper", () => {
    expect(code).toMatch(/^HANA(-[0-9A-HJKMNP-TV-Z]{5})*-[0-9A-HJKMNP-TV-Z]{1,5}$/);
    expect(code).toMatchInlineSnapshot(
      `"HANA-04268-SBDDZ-ZZSYF-PYFRE-VTQ7W-KGXXP-YRTQ9-CZK69-RV1W1-FDTPY-TB3BN-BN2JT-5P4QY-ZP0"`,
    );
  });

  it("comes back as mesh and key, for every name and key", () => {
    const names = fc
      .string({ minLength: 1, maxLength: 32, unit: "grapheme" })
      .filter((name) => !/\p{Surrogate}/u.test(name) && new TextEncoder().encode(name).length <= MESH_NAME_MAX_BYTES);
    fc.assert(
      fc.property(names, fc.uint8Array({ minLength: 32, maxLength: 32 }), (mesh, bytes) => {
        const decoded = decodeJoinCode(encodeJoinCode({ mesh, key: bytes }));
        expect(decoded).toEqual({ ok: true, secret: { mesh, key: Uint8Array.from(bytes) } });
      }),
    );
  });

  it("may be lower case, spaced, broken over lines, dashed otherwise, and have O for 0 and I or L for 1", () => {
    const expected = { ok: true, secret: { mesh: "demo", key } };
    expect(decodeJoinCode(code.toLowerCase())).toEqual(expected);
    expect(decodeJoinCode(`  ${code.replaceAll("-", " ")}\n`)).toEqual(expected);
    expect(decodeJoinCode(code.replaceAll("-", "\u2013"))).toEqual(expected);
    expect(decodeJoinCode(code.replaceAll("-", ""))).toEqual(expected);
    expect(decodeJoinCode(code.split("").join("\u00a0"))).toEqual(expected);
    expect(decodeJoinCode(code.replaceAll("-", "-\r\n"))).toEqual(expected);
    expect(decodeJoinCode(code.replaceAll("0", "o").replace(/1/g, "l"))).toEqual(expected);
    expect(decodeJoinCode(code.replaceAll("0", "O").replace(/1/g, "i"))).toEqual(expected);
  });

  it("is refused with a precise complaint", () => {
    expect(complaintOf("")).toBe(JoinComplaint.notAJoinCode);
    expect(complaintOf("hello")).toBe(JoinComplaint.notAJoinCode);
    expect(complaintOf(code.slice(5))).toBe(JoinComplaint.notAJoinCode);
    expect(complaintOf("HANA-")).toBe(JoinComplaint.tooShort);
    expect(complaintOf(code.slice(0, 40))).toBe(JoinComplaint.tooShort);
    expect(complaintOf(code.slice(0, -2))).toBe(JoinComplaint.tooShort);
    expect(complaintOf(`${code}00`)).toBe(JoinComplaint.tooLong);
    expect(complaintOf(`${code} ${code}`)).toBe(JoinComplaint.tooLong);
    expect(complaintOf(`HANA-${"0".repeat(100_000)}`)).toBe(JoinComplaint.tooLong);
    expect(complaintOf(`${code.slice(0, 20)}U${code.slice(21)}`)).toBe(JoinComplaint.badCharacter);
    expect(complaintOf(`HANA-Z${code.slice(6)}`)).toBe(JoinComplaint.unknownFormat);
  });

  it("says how many characters are missing", () => {
    const cut = code.replaceAll("-", "").slice(0, -7);
    const decoded = decodeJoinCode(cut);
    expect(decoded.ok ? "" : decoded.message).toContain("7 or more characters are missing");
  });

  it("never takes a code with one letter changed", () => {
    const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let changes = 0;
    for (let at = 5; at < code.length - 1; at++) {
      if (code[at] === "-") continue;
      for (const letter of letters) {
        if (letter === code[at]) continue;
        expect(decodeJoinCode(code.slice(0, at) + letter + code.slice(at + 1)).ok).toBe(false);
        changes++;
      }
    }
    expect(changes).toBeGreaterThan(2_000);
  });

  it("never throws, whatever the text", () => {
    fc.assert(fc.property(fc.string(), (text) => void decodeJoinCode(`HANA-${text}`)));
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void decodeJoinCode(text)));
  });
});
