import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { serverStatePath } from "../../src/core/server-state-path.ts";
import { handOver, type WantedState } from "../../src/core/server-state.ts";
import { wantedServers } from "../../src/core/wanted-servers.ts";

/**
 * What HAProxy 2.6, 3.0 and 3.2 answered, word for word the same but for the seconds: `up` got weight 50 and `drain`
 * and `maint` their states over the socket, `disabled` is so by its line, `down` is checked on another port, `plain`
 * has no check, `six` was not checked yet, `name` is a host name, and `added` came over the socket.
 */
const RECORDED = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 web 1 up 127.0.0.1 2 0 50 10 1 6 3 3 6 0 0 0 - 28101 - 0 0 - - 0
3 web 2 down 127.0.0.1 0 0 1 1 0 8 2 0 6 0 0 0 - 28102 - 0 28103 - - 28103
3 web 3 drain 127.0.0.1 2 8 1 1 0 6 3 3 6 0 0 0 - 28101 - 0 0 - - 0
3 web 4 maint 127.0.0.1 0 1 1 1 0 1 0 0 14 0 0 0 - 28101 - 0 0 - - 0
3 web 5 disabled 127.0.0.1 0 5 1 1 1 1 0 0 14 0 0 0 - 28101 - 0 0 - - 0
3 web 6 plain 127.0.0.1 2 0 1 1 1 1 0 2 0 0 0 0 - 28101 - 0 0 - - 0
3 web 7 six fd00::5 2 0 1 1 1 1 0 2 6 0 0 0 - 80 - 0 0 - - 0
3 web 8 name - 0 32 1 1 1 1 0 0 14 0 0 0 localhost 80 - 0 0 - - 0
3 web 9 added 127.0.0.1 0 0 1 1 0 8 2 0 6 0 0 0 - 28104 - 0 0 - - 0

`;
const HEAD = RECORDED.split("\n").slice(0, 2).join("\n");
const NAMES = ["up", "down", "drain", "maint", "disabled", "plain", "six", "name", "added"];

const state = (port: number, given: Partial<WantedState> = {}): WantedState => ({
  address: "127.0.0.1",
  port,
  checked: true,
  disabled: false,
  ...given,
});

/** All servers as they run; `given` replaces some, undefined = not wanted. */
function wantedAsRun(given: Readonly<Record<string, WantedState | undefined>> = {}) {
  const all: Record<string, WantedState | undefined> = {
    ...Object.fromEntries(NAMES.map((name) => [name, state(28101)])),
    down: state(28102),
    added: state(28104),
    six: state(80, { address: "fd00::5" }),
    name: state(80, { address: null }),
    ...given,
  };
  const entries = Object.entries(all).map(([name, wanted]) => [`web/${name}`, wanted] as const);
  return new Map<string, WantedState>(
    entries.flatMap(([key, wanted]) => (wanted === undefined ? [] : [[key, wanted]])),
  );
}

const lines = (text: string): readonly string[] => text.split("\n").slice(2, -1);
const names = (text: string): readonly string[] => lines(text).map((line) => line.split(" ")[3] ?? "");

describe("handOver", () => {
  it("keeps the health of servers that are the same, and nothing else of them", () => {
    expect(handOver(RECORDED, { wanted: wantedAsRun() })).toBe(`${HEAD}
3 web 1 up 127.0.0.1 2 0 10 10 1 6 3 3 6 0 0 0 - 28101 -
3 web 2 down 127.0.0.1 0 0 1 1 0 8 2 0 6 0 0 0 - 28102 -
3 web 3 drain 127.0.0.1 2 0 1 1 0 6 3 3 6 0 0 0 - 28101 -
3 web 9 added 127.0.0.1 0 0 1 1 0 8 2 0 6 0 0 0 - 28104 -
`);
  });

  it.each([
    ["is not wanted", undefined],
    ["has no known address", state(28102, { address: null })],
    ["has another port", state(28199)],
    ["has another address", state(28102, { address: "127.0.0.2" })],
    ["has no check, so that nothing would bring it back", state(28102, { checked: false })],
    ["is to start disabled", state(28102, { disabled: true })],
  ])("drops a server that %s", (_, wanted) => {
    expect(names(handOver(RECORDED, { wanted: wantedAsRun({ down: wanted }) }))).toEqual([
      "up",
      "drain",
      "added",
    ]);
  });

  it("drops a server that is UP without a good check: it shall be DOWN at the first bad one", () => {
    const failing = RECORDED.replace("up 127.0.0.1 2 0 50 10 1 6 3", "up 127.0.0.1 2 0 50 10 1 7 2");
    expect(names(handOver(failing, { wanted: wantedAsRun() }))).toEqual(["down", "drain", "added"]);
  });

  it("enables checks that were disabled over the socket, and forgets what 2.6 would not take back", () => {
    const odd = RECORDED.replace(" 3 3 6 0 0 0 - 28101", " 3 3 258 6 0 0 - 28101");
    expect(handOver(odd, { wanted: wantedAsRun() })).toBe(handOver(RECORDED, { wanted: wantedAsRun() }));
  });

  it("knows an IPv6 address in all its forms", () => {
    const checked = RECORDED.replace("six fd00::5 2 0 1 1 1 1 0 2", "six FD00:0::5 2 0 1 1 1 6 3 3");
    expect(names(handOver(checked, { wanted: wantedAsRun() }))).toContain("six");
  });

  it("makes a line for a new server that starts DOWN, if HAProxy can bring it up", () => {
    const wanted = wantedAsRun({
      fresh: state(81),
      unchecked: state(81, { checked: false }),
      off: state(81, { disabled: true }),
    });
    const startDown = new Set(["web/up", "web/fresh", "web/unchecked", "web/off", "web/name", "web/nobody"]);
    const text = handOver(RECORDED, { wanted, startDown });
    expect(names(text)).toEqual(["up", "down", "drain", "added", "fresh"]);
    expect(lines(text).at(-1)).toBe("0 web 0 fresh 127.0.0.1 0 0 1 1 0 1 0 0 6 0 0 0 - 81 -");
    expect(lines(text)[0]).toMatch(/ up 127.0.0.1 2 /);
  });

  it("makes no server wait that is there already, checked or not, but one that moved", () => {
    const startDown = new Set(NAMES.map((name) => `web/${name}`));
    const wanted = wantedAsRun({ up: state(28199) });
    const text = handOver(RECORDED, { wanted, startDown });
    expect(names(text)).toEqual(["down", "drain", "added", "up"]);
    expect(lines(text).at(-1)).toMatch(/ up 127.0.0.1 0 .* 28199 -$/);
  });

  it.each([
    ["another version", RECORDED.replace("1\n", "2\n")],
    ["nothing", ""],
    ["an error", "Permission denied\n"],
    ["the version alone", "1\n"],
    ["half a line", `${HEAD}\n3 web 1 up 127.0.0.1 2 0 50`],
    ["nearly a line", `${HEAD}\n3 web 1 up 127.0.0.1 2 0 50 10 1 6 3 3 6 0 0 0 - 28101`],
    [
      "a line that HAProxy would not read",
      `${HEAD}\n3 web 1 up 127.0.0.1 2 0 1 1 1 6 3 3 6 0 0 0 ${"x".repeat(2000)} 28101 -`,
    ],
  ])("hands over nothing when it reads %s", (_, text) => {
    expect(lines(handOver(text, { wanted: wantedAsRun() }))).toEqual([]);
  });

  test("never has a line for what is not wanted, nor with another place than the wanted one", () => {
    const address = fc.constantFrom("127.0.0.1", "127.0.0.2", "fd00::5", "-");
    const port = fc.constantFrom(0, 80, 81, 65535);
    const name = fc.constantFrom("a", "b", "c", "d");
    const small = fc.integer({ min: 0, max: 64 });
    const line = fc
      .record({
        name,
        address,
        port,
        op: fc.nat(3),
        admin: small,
        weight: small,
        status: fc.nat(21),
        check: fc.nat(5000),
      })
      .map(
        (one) =>
          `3 web 1 ${one.name} ${one.address} ${one.op} ${one.admin} ${one.weight} 1 9 ${one.status} 3 3 ${one.check} 0 0 0 - ${one.port} - 0 0 - - 0`,
      );
    const place = fc.record({
      address: fc.option(address),
      port,
      checked: fc.boolean(),
      disabled: fc.boolean(),
    });
    const wanted = fc
      .array(fc.tuple(name, place))
      .map((entries) => new Map(entries.map(([key, value]) => [`web/${key}`, value])));
    const startDown = fc.array(name).map((keys) => new Set(keys.map((key) => `web/${key}`)));
    fc.assert(
      fc.property(fc.array(line), wanted, startDown, (running, places, waiting) => {
        const text = handOver(`${HEAD}\n${running.join("\n")}\n`, { wanted: places, startDown: waiting });
        expect(text.startsWith(`${HEAD}\n`) && text.endsWith("\n")).toBe(true);
        for (const kept of lines(text)) {
          const columns = kept.split(" ");
          const found = places.get(`web/${columns[3]}`);
          expect(found).toMatchObject({
            address: columns[4],
            port: Number(columns[18]),
            checked: true,
            disabled: false,
          });
          expect([columns.length, columns[6], columns[7] === columns[8], columns[13]]).toEqual([
            20,
            "0",
            true,
            "6",
          ]);
        }
      }),
    );
  });

  it("takes little time for 10,000 servers", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `server${at}`);
    const running = many.map(
      (name, at) => `3 web ${at} ${name} 10.0.0.1 2 0 1 1 1 6 3 3 6 0 0 0 - 80 - 0 0 - - 0`,
    );
    const wanted = new Map(many.map((name) => [`web/${name}`, state(80, { address: "10.0.0.1" })]));
    const start = performance.now();
    expect(lines(handOver(`${HEAD}\n${running.join("\n")}\n\n`, { wanted }))).toHaveLength(10_000);
    expect(performance.now() - start).toBeLessThan(500);
  });
});

describe("serverStatePath", () => {
  const path = (global: string, rest = "defaults\n load-server-state-from-file global\n") =>
    serverStatePath(readConfig(`global\n${global}\n${rest}`));

  it.each([
    ["server-state-file /run/states", "/run/states"],
    ['server-state-file "/run/my states"', "/run/my states"],
    ["server-state-base /run/\n server-state-file states", "/run/states"],
    ["server-state-base /run\n server-state-file /var/states", "/var/states"],
    ["server-state-file states", null],
    ["server-state-base run\n server-state-file states", null],
    ['server-state-file "$DIR/states"', null],
    ['server-state-file "/run/${NAME}"', null],
    ["zero-warning\n server-state-file /run/states", null],
    ["maxconn 10", null],
  ])("of %j is %s", (global, expected) => {
    expect(path(global)).toBe(expected);
  });

  it.each([
    ["no proxy loads it", "defaults\n mode http\n", null],
    ["each proxy has its own", "defaults\n load-server-state-from-file local\n", null],
    ["none", "defaults\n load-server-state-from-file none\n", null],
    ["one backend loads it", "defaults\n mode http\nbackend b\n load-server-state-from-file global\n", "/s"],
  ])("when %s", (_, rest, expected) => {
    expect(path("server-state-file /s", rest)).toBe(expected);
  });
});

test("what is wanted is what the configuration says", () => {
  const text = `backend web
  default-server check
  server up 127.0.0.1:28101
  server down 127.0.0.1:28102 no-check
  server drain localhost:28101
  server added 127.0.0.1:28104 unknown-keyword
`;
  const wanted = wantedServers(readConfig(text)).servers;
  expect(names(handOver(RECORDED, { wanted }))).toEqual(["up", "added"]);
});
