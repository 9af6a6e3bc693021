import { describe, expect, it } from "vitest";
import { abilitiesOf } from "../../src/core/abilities.ts";
import { parseStamp, readStamp } from "../../src/core/stamp.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { plan } from "../../src/core/plan.ts";
import { stampRevision } from "../../src/render/stamp-revision.ts";

const TEXT = "global\n    maxconn 10\nfrontend f\n    bind :80\nbackend b\n    server a 10.0.0.1:80\n";
const stamp = (text: string) => stampRevision(text, { enabled: true });

describe("stampRevision", () => {
  it("writes revision and digest into the global section, where they are read back", () => {
    const stamped = stamp(TEXT);
    expect(stamped.text).toMatch(
      /^global\n {4}description "rev=[0-9a-f]{16} text=[0-9a-f]{16}"\n {4}maxconn 10\n/,
    );
    expect(readStamp(stamped.text)).toEqual(stamped);
    expect(parseStamp(`rev=${stamped.revision} text=${stamped.digest}`)).toMatchObject({
      digest: stamped.digest,
    });
  });

  it("keeps the revision while servers come and go, and never the digest", () => {
    const other = stamp(TEXT.replace("10.0.0.1", "10.0.0.2"));
    expect(other.revision).toBe(stamp(TEXT).revision);
    expect(other.digest).not.toBe(stamp(TEXT).digest);
    expect(stamp(TEXT.replace("maxconn 10", "maxconn 11")).revision).not.toBe(other.revision);
  });

  it("leaves a text alone that has a description, in whichever global section, or that is empty", () => {
    const own = `${TEXT}global\n    description mine\n`;
    expect(stamp(own)).toMatchObject({ text: own, revision: null, digest: null });
    expect(stamp("\n").revision).toBeNull();
    expect(stampRevision(TEXT, { enabled: false }).text).toBe(TEXT);
  });

  it("knows its sections as if they had been read again", () => {
    for (const text of [
      TEXT,
      `# top\n\n${TEXT}global\n  nbthread 1\nlisten l\n bind :1\n server x 10.0.0.9:1\n`,
    ]) {
      const stamped = stamp(text);
      expect(stamped.sections).toEqual(readConfig(stamped.text));
    }
  });

  it("does not write into a section that HAProxy may skip", () => {
    const conditional = `.if defined(X)\n${TEXT}.endif\n`;
    expect(stamp(conditional).text.startsWith("global\n    description")).toBe(true);
    const second = `.if defined(X)\nglobal\n    nbthread 2\n.endif\n${TEXT}`;
    expect(stamp(second).text).toMatch(/\.endif\nglobal\n {4}description/);
  });

  it("is no reason for a reload by itself", () => {
    const candidate = stamp(TEXT.replace("10.0.0.1", "10.0.0.2"));
    const leaving = new Map<string, null>();
    const abilities = abilitiesOf("3.2.1");
    const found = plan({ applied: stamp(TEXT), candidate, abilities, leaving, admitChecked: false });
    expect(found).toMatchObject({ kind: "runtime", operations: [{ kind: "address" }] });
  });
});
