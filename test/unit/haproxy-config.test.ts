import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readConfig, readWords, serverLines, withoutServerLines } from "../../src/core/haproxy-config.ts";

const CONFIG = `# top
global
    maxconn 10
defaults
    mode http
frontend main
    bind *:80
backend web
    balance roundrobin
    server a 10.0.0.1:80 check weight 5
    server b [fd00::5]:80
peers p
    server me 10.0.0.9:10000
listen all
    bind :81
    server c app:80
`;

describe("readConfig", () => {
  it("finds sections with their lines", () => {
    const sections = readConfig(CONFIG);
    expect(sections.map(({ keyword, name, number }) => `${number} ${keyword} ${name}`.trim())).toEqual([
      "2 global",
      "4 defaults",
      "6 frontend main",
      "8 backend web",
      "12 peers p",
      "14 listen all",
    ]);
    expect(sections[3]?.lines[1]).toEqual({
      number: 10,
      words: ["server", "a", "10.0.0.1:80", "check", "weight", "5"],
    });
  });

  it("takes servers of backends and listen sections, not of peers", () => {
    const found = serverLines(readConfig(CONFIG)).map(({ backend, name, address }) => [
      backend,
      name,
      address,
    ]);
    expect(found).toEqual([
      ["web", "a", "10.0.0.1:80"],
      ["web", "b", "[fd00::5]:80"],
      ["all", "c", "app:80"],
    ]);
  });

  it("leaves out the server lines and nothing else", () => {
    const rest = withoutServerLines(CONFIG);
    expect(CONFIG.split("\n").length - rest.split("\n").length).toBe(3);
    expect(rest).toContain("server me 10.0.0.9:10000");
    expect(withoutServerLines(rest)).toBe(rest);
  });
});
