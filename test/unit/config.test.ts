import { describe, expect, it } from "vitest";
import { readCommandLine } from "../../src/command-line.ts";
import { type Command } from "../../src/commands/command.ts";
import { readConfig } from "../../src/config.ts";
import { accept, refuse, type Result } from "../../src/core/result.ts";
import { commandHelp, usageOf } from "../../src/help.ts";
import { OPTION_NAMES, variableOf } from "../../src/options.ts";

const read = (given: { flags?: Record<string, string>; env?: Record<string, string>; file?: string }) =>
  readConfig({
    flags: new Map(Object.entries(given.flags ?? {})),
    env: given.env ?? {},
    readFile: () => given.file ?? null,
  });

describe("readConfig", () => {
  it("has valid defaults for everything", () => {
    const { config, problems } = read({});
    expect(problems).toEqual([]);
    expect(config["etcd-endpoints"]).toEqual(["http://127.0.0.1:2379"]);
    expect(config["start-timeout"]).toBe(15_000);
    expect(config.http).toEqual({ host: "127.0.0.1", port: 8405 });
    expect(Object.keys(config).toSorted()).toEqual(OPTION_NAMES.toSorted());
  });

  it("lets flags win over variables, and variables over the file", () => {
    const file = "network: file\nlabel-prefix: file\nhaproxy-bin: file\n";
    const env = { ROLLCALL_NETWORK: "env", ROLLCALL_LABEL_PREFIX: "env" };
    const { config } = read({ file, env, flags: { network: "flag" } });
    expect([config.network, config["label-prefix"], config["haproxy-bin"]]).toEqual(["flag", "env", "file"]);
  });

  it("reports every problem at once, each with its place", () => {
    const { problems } = read({
      file: "etcd-prefx: /x\nreload-interval: 5\nstart-timeout: [1, {a: 1}]\n",
      env: { ROLLCALL_DOKCER: "on", ROLLCALL_LOG_LEVEL: "loud" },
      flags: { http: "nowhere", "etcd-username": "me" },
    });
    expect(problems).toEqual([
      "/etc/rollcall/rollcall.yaml: etcd-prefx: no such option; did you mean etcd-prefix?",
      "/etc/rollcall/rollcall.yaml: start-timeout: not a plain value",
      "ROLLCALL_DOKCER: no such variable; did you mean ROLLCALL_DOCKER?",
      expect.stringContaining("/etc/rollcall/rollcall.yaml: reload-interval: "),
      expect.stringContaining("--http: "),
      expect.stringContaining("ROLLCALL_LOG_LEVEL: "),
      "etcd-username needs etcd-password-file",
    ]);
  });

  it("reads lists from YAML sequences and from text with commas", () => {
    const wanted = ["http://a:2379", "https://b:2379"];
    expect(read({ file: "etcd-endpoints: [a:2379, 'https://b:2379']\n" }).config["etcd-endpoints"]).toEqual(
      wanted,
    );
    expect(read({ flags: { "etcd-endpoints": "a:2379, https://b:2379/" } }).config["etcd-endpoints"]).toEqual(
      wanted,
    );
  });

  it("keeps the port of an endpoint, also the scheme's own, and knows etcd's", () => {
    const given = "https://etcd:443,http://etcd:80,etcd,https://[fd00::5]:2380/";
    const wanted = ["https://etcd:443", "http://etcd:80", "http://etcd:2379", "https://[fd00::5]:2380"];
    expect(read({ flags: { "etcd-endpoints": given } })).toMatchObject({
      problems: [],
      config: { "etcd-endpoints": wanted },
    });
  });

  it("takes on, off and true the same from YAML", () => {
    expect(read({ file: "revision-line: off\ndocker-enable-default: true\n" }).config).toMatchObject({
      "revision-line": false,
      "docker-enable-default": true,
    });
  });

  it("borrows Docker's own variables, unless its own are set", () => {
    const env = { DOCKER_HOST: "tcp://127.0.0.1:2375" };
    expect(read({ env }).config["docker-host"]).toBe("tcp://127.0.0.1:2375");
    expect(read({ env: { ...env, ROLLCALL_DOCKER_HOST: "unix:///x" } }).config["docker-host"]).toBe(
      "unix:///x",
    );
  });

  it.each([
    [{ flags: { "etcd-endpoints": "off", docker: "off" } }, "no source of servers"],
    [{ flags: { "etcd-endpoints": "http://me:secret@etcd:2379" } }, "a password does not belong into a URL"],
    [{ flags: { "haproxy-pid": "1", "haproxy-pid-file": "/run/x" } }, "set one of them"],
    [{ flags: { "etcd-cert": "/x" } }, "etcd-cert needs etcd-key"],
    [{ flags: { "haproxy-pid": "0" } }, "is not a pid"],
    [{ env: { ROLLCALL_CONFIG: "/nowhere.yaml" } }, "/nowhere.yaml: there is no such file"],
    [{ file: "a: [" }, "rollcall.yaml:"],
    [{ file: "- a\n" }, "not a mapping"],
  ])("refuses %j", (given, wanted) => {
    expect(read(given).problems.join("\n")).toContain(wanted);
  });

  it("has a variable for every option, and no two the same", () => {
    expect(new Set(OPTION_NAMES.map(variableOf)).size).toBe(OPTION_NAMES.length);
  });
});

describe("readCommandLine", () => {
  const command: Command = {
    name: "render",
    summary: "",
    description: "",
    examples: [],
    needsConfig: true,
    flags: { diff: { value: null, help: "" }, from: { value: "FILE", help: "" } },
    run: () => Promise.resolve(0),
  };
  const type = (...args: string[]) => readCommandLine(args, [command]);

  it("tells options of the program from flags of the command", () => {
    expect(type("render", "--diff", "--from=x.yaml", "--network", "front", "--config", "c.yaml")).toEqual({
      kind: "command",
      command,
      args: [],
      options: new Map([
        ["network", "front"],
        ["config", "c.yaml"],
      ]),
      flags: new Map([
        ["diff", "true"],
        ["from", "x.yaml"],
      ]),
    });
  });

  it.each([
    [["rendr"], "rendr: no such command; did you mean render?"],
    [["render", "--netwrk", "x"], "--netwrk: no such option; did you mean network?"],
    [["render", "stray"], "stray: render takes no such argument"],
    [["render", "--network"], "--network: it needs a value"],
  ])("refuses %j", (args, wanted) => {
    expect(type(...args)).toMatchObject({ kind: "usage", problems: [wanted] });
  });

  const numbers = (value: string): Result<unknown> => (value === "1" ? accept(value) : refuse("is not 1"));
  const withArguments: Command = {
    ...command,
    name: "add",
    arguments: [
      { name: "SERVER", help: "", count: "one" },
      { name: "N", help: "", count: "one", parse: numbers },
      {
        name: "WORD",
        help: "",
        count: "repeated",
        parse: (word) => (word === "bad" ? refuse("no") : accept(0)),
      },
    ],
  };
  const lists: Command = {
    ...command,
    name: "ls",
    arguments: [{ name: "BACKEND", help: "", count: "optional" }],
  };

  it.each([
    [
      ["add", "web1", "--diff", "1", "a", "--network", "front", "b"],
      ["web1", "1", "a", "b"],
    ],
    [
      ["add", "web1", "1"],
      ["web1", "1"],
    ],
    [["ls"], []],
    [["ls", "api"], ["api"]],
  ])("takes arguments in any place: %j", (args, wanted) => {
    expect(readCommandLine(args, [withArguments, lists])).toMatchObject({ kind: "command", args: wanted });
  });

  it.each([
    [["add"], ["SERVER is missing", "N is missing"]],
    [["add", "web1"], ["N is missing"]],
    [
      ["add", "web1", "2", "bad"],
      ["N: is not 1", "WORD: no"],
    ],
    [["add", "--netwrk", "x"], ["--netwrk: no such option; did you mean network?"]],
    [["ls", "api", "web"], ["web: ls takes no such argument"]],
  ])("refuses the arguments %j", (args, problems) => {
    expect(readCommandLine(args, [withArguments, lists])).toMatchObject({ kind: "usage", problems });
  });

  it("shows in the help what a command takes", () => {
    expect(usageOf(withArguments)).toBe("rollcall add SERVER N [WORD ...]");
    expect(commandHelp(lists)).toContain("Usage: rollcall ls [BACKEND] [--OPTION VALUE ...]\n  BACKEND");
    expect(usageOf(command)).toBe("rollcall render");
  });

  it.each([[[]], [["help"]], [["--help"]], [["-h"]], [["render", "--help"]], [["help", "render"]]])(
    "helps for %j",
    (args) => {
      expect(type(...args)).toMatchObject({ kind: "help" });
    },
  );
});
