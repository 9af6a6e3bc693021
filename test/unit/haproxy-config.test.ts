import { describe, expect, it } from "vitest";
import { readConfig, serversOf } from "../../src/core/haproxy-config.ts";
import { structure } from "../../src/core/structure.ts";

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
    expect(sections[3]?.lines).toEqual([{ number: 9, words: ["balance", "roundrobin"] }]);
    expect(sections[4]?.lines[0]?.words[0]).toBe("server");
  });

  it("takes servers of backends and listen sections, not of peers", () => {
    const found = serversOf(readConfig(CONFIG)).map((line) => [
      line.backend,
      line.name,
      line.number,
      line.raw,
    ]);
    expect(found).toEqual([
      ["web", "a", 10, "    server a 10.0.0.1:80 check weight 5"],
      ["web", "b", 11, "    server b [fd00::5]:80"],
      ["all", "c", 16, "    server c app:80"],
    ]);
  });

  it("counts the default-server lines above a server", () => {
    const text = "backend b\n  server a 10.0.0.1:80\n  default-server weight 5\n  server c 10.0.0.2:80\n";
    expect(readConfig(text)[0]?.servers.map(({ defaults }) => defaults)).toEqual([0, 1]);
  });

  it.each([
    ["  server\ta 1.2.3.4:1\r", "a"],
    ["\"server\" 'a' 1.2.3.4:1", "a"],
    ["server a", "a"],
    ["server", ""],
  ])("finds the server in %j", (line, name) => {
    expect(readConfig(`backend b\n${line}\n`)[0]?.servers.map((server) => server.name)).toEqual([name]);
  });

  it("knows what stands in a conditional block, also over several sections", () => {
    const text = "backend a\n.if x\nbackend b\nbackend c\n.endif\nbackend d\n  .if x\n  .endif\nbackend e\n";
    expect(readConfig(text).map(({ name, conditional }) => `${name} ${conditional}`)).toEqual([
      "a partly",
      "b wholly",
      "c wholly",
      "d partly",
      "e never",
    ]);
  });
});

describe("structure", () => {
  it("has all lines but those of servers, comments and spaces", () => {
    const text = structure(readConfig(CONFIG));
    expect(text).toContain(["server", "me", "10.0.0.9:10000"].join("\0"));
    expect(text).not.toContain("10.0.0.1");
    expect(structure(readConfig(CONFIG.replace("    maxconn 10", "  # hello\n\n  maxconn  10 # ten")))).toBe(
      text,
    );
    expect(structure(readConfig(CONFIG.replace("backend web", "backend web from x")))).not.toBe(text);
  });
});
