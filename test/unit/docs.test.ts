import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { commandsReference } from "../../scripts/commands-reference.ts";
import { optionsReference } from "../../scripts/options-reference.ts";
import { COMMANDS } from "../../src/all-commands.ts";
import { readLabels } from "../../src/core/container-labels.ts";
import { containerServers } from "../../src/core/container-servers.ts";
import { type Container, type ContainerSettings, SWARM_STOPS } from "../../src/core/container.ts";
import { registryPicture } from "../../src/core/registry-picture.ts";
import { compareText } from "../../src/core/compare-text.ts";
import { OPTION_NAMES, variableOf } from "../../src/options.ts";
import { container, containerSettings, network } from "../support/container.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const FILES = [
  ...globSync(["*.md", "docs/**/*.md", "examples/**/*.md"], { cwd: ROOT }),
  // What users start from names variables and labels, too.
  ...globSync(["compose*.yml", "examples/**/*.{yml,yaml,service,env,conf}"], { cwd: ROOT }),
];
const PAGES = FILES.filter((file) => file.endsWith(".md"));

/** All that `pattern` (with one group) finds in the code of these files, each once, with the file where it stands. */
function mentions(pattern: RegExp, files: readonly string[] = PAGES): readonly (readonly [string, string])[] {
  const found = files.flatMap((file) =>
    [...code(file).matchAll(pattern)].map((match) => [file, match[1] ?? ""] as const),
  );
  return [...new Map(found.map((one) => [one.join(" "), one])).values()];
}

/** The parts of a page that are code: what is to be typed or written into files. Output of programs is left out. */
function code(path: string): string {
  const text = read(path);
  if (!path.endsWith(".md")) return text.replaceAll(/#.*$/gm, "");
  const blocks = [...text.matchAll(/^```([a-z]*)\n([^]*?)^```$/gm)];
  const typed = blocks
    .filter(([, language]) => language === "sh" || language === "yaml")
    .map(([, , body]) => body);
  const rest = text.replaceAll(/^```[^]*?^```$/gm, "");
  const spans = [...rest.matchAll(/`([^`\n]+)`/g)].map(([, body]) => body);
  return [...typed, ...spans].join("\n");
}

/** Flags of other programs. */
const FOREIGN = new Map([
  ["build", "docker compose"],
  ["client-cert-auth", "etcd"],
  ["build-arg", "docker build"],
  ["deny-warnings", "oxlint"],
  ["group-add", "docker run"],
  ["label-add", "docker service"],
  ["leader-every", "npm run soak"],
  ["minutes", "npm run soak"],
  ["now", "systemctl"],
  ["only", "npm run bench"],
  ["prefix", "etcdctl"],
  ["interactive", "etcdctl"],
  ["project", "vitest"],
  ["quick", "npm run bench"],
  ["scale", "docker compose"],
  ["seed", "npm run soak"],
  ["user", "docker run"],
]);

describe("the documentation names only what there is", () => {
  test("flags", () => {
    const known = [...OPTION_NAMES, ...COMMANDS.flatMap((one) => Object.keys(one.flags)), "config", "help"];
    const named = mentions(/(?<![\w-])--([a-z][a-z-]*)/g);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([, name]) => !known.includes(name) && !FOREIGN.has(name))).toEqual([]);
  });

  test("variables", () => {
    const known = [...OPTION_NAMES.map(variableOf), "ROLLCALL_CONFIG"];
    const named = mentions(/\b(ROLLCALL_[A-Z_]*)/g, FILES);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([, name]) => name !== "ROLLCALL_" && !known.includes(name))).toEqual([]);
  });

  test("labels", () => {
    const named = mentions(/(?<![\w/.-])rollcall\.((?:[0-9A-Za-z]+\.)*[0-9A-Za-z]+)/g, FILES)
      .filter(([, name]) => !/^(?:yaml|service|env|sock|log)$/.test(name))
      .map(([file, name]) => [file, name.replace("PORT", "8080")] as const);
    expect(named.length).toBeGreaterThan(20);
    const doubts = named.flatMap(([file, name]) =>
      readLabels(new Map([[`rollcall.${name}`, ""]]), "rollcall").unknown.map((doubt) => `${file}: ${doubt}`),
    );
    const onPurpose =
      'docs/reference/labels.md: unknown label "rollcall.8080.port": the port stands in it already';
    expect(doubts).toEqual([onPurpose]);
  });

  test("commands", () => {
    const known = [...COMMANDS.map(({ name }) => name), "help"];
    const named = mentions(/(?:^|[\s/])rollcall ([a-z][a-z-]*)/gm);
    expect(named.length).toBeGreaterThan(3);
    // `etcdctl role add rollcall read …` has a user of that name.
    expect(
      named.filter(([, name]) => !known.includes(name) && name !== "read" && name !== "rollcall"),
    ).toEqual([]);
    const files = readdirSync(join(ROOT, "src/commands")).filter((file) => file !== "command.ts");
    expect(files.map((file) => file.replace(".ts", "")).toSorted()).toEqual(
      COMMANDS.map(({ name }) => name).toSorted(),
    );
  });

  test("npm scripts", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = mentions(/\bnpm (?:run )?([a-z][a-z0-9:]*)/g);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter(([, name]) => scripts[name] === undefined && name !== "ci")).toEqual([]);
  });

  test("files of the project", () => {
    const named = mentions(/(?<![\w/.-])((?:src|test|scripts|templates|docker|examples)\/[\w./*-]+)/g);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(([, path]) => globSync(path.replace(/\/$/, ""), { cwd: ROOT }).length === 0)).toEqual(
      [],
    );
  });

  test("neither registries nor paths of somebody's machine", () => {
    const odd = /\/(?:work|root|home\/\w+|tmp\/lab)\/|docker\.io\/|ghcr\.io|quay\.io|npmjs\.|deb\.debian\./;
    expect(PAGES.filter((file) => odd.test(read(file)))).toEqual([]);
  });
});

describe("links", () => {
  const anchors = (path: string): readonly string[] =>
    [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  test.each(PAGES)("of %s lead somewhere", (file) => {
    const links = [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const broken = links.filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const found = path === "" ? file : relative(ROOT, join(ROOT, dirname(file), path));
      if (!existsSync(join(ROOT, found))) return true;
      return anchor !== undefined && !anchors(found).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe("the reference", () => {
  test("of options is what scripts/write-reference.ts makes of the code", async () => {
    expect(read("docs/reference/options.md")).toBe(await optionsReference());
  });

  test("of commands is what scripts/write-reference.ts makes of the code", async () => {
    expect(read("docs/reference/commands.md")).toBe(await commandsReference());
  });

  /** Rows of the table whose head has these titles, without their backquotes. */
  function table(path: string, ...titles: string[]): readonly (readonly string[])[] {
    const cells = (line: string): string[] =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((one) => one.trim());
    const lines = read(path).split("\n");
    const head = lines.findIndex((line) => cells(line).join("|") === titles.join("|"));
    expect(head, `a table ${titles.join(", ")} in ${path}`).toBeGreaterThan(-1);
    const rows = lines.slice(head + 2);
    const end = rows.findIndex((line) => !line.startsWith("|"));
    return rows.slice(0, end).map((line) => cells(line).map((one) => one.replace(/^`(.*)`$/, "$1")));
  }

  test("of packages has all of them, each with the file of src that uses it", () => {
    const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
    const rows = table("docs/architecture.md", "package", "where", "why").flatMap(
      ([names = "", where = ""]) => names.split("`, `").map((name) => [name, where] as const),
    );
    expect(Object.keys(dependencies).filter((name) => !rows.some((row) => row[0] === name))).toEqual([]);
    for (const [name, where] of rows) {
      if (where.startsWith("src/")) expect(read(where)).toMatch(new RegExp(`["'(]${name}["'/]`));
    }
  });

  test.each(table("docs/reference/etcd.md", "key below `/app/servers/`", "value", "reason"))(
    "of etcd says why %s = %s is refused",
    (key, value, reason) => {
      const picture = registryPicture({
        source: "etcd",
        prefix: "/app/servers/",
        overridesPrefix: "/app/overrides/",
        watch: [],
        defaultBackend: "webserver",
      });
      const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
      picture.put({
        key: bytes(`/app/servers/${key}`),
        value: bytes(value),
        modRevision: "1",
        isLeased: false,
      });
      expect(picture.snapshot("1").quarantined.map((one) => one.reason)).toEqual([reason]);
    },
  );

  const inContainer = { kind: "container", networks: ["front"], hostNetwork: false, gateway: null } as const;
  const elsewhere = { kind: "elsewhere", engineHost: null } as const;
  const labelled = (name: string, value: string): Container =>
    container({ labels: { [`rollcall.${name}`]: value } });
  const CASES: readonly (readonly [Container | Container[], Partial<ContainerSettings>?])[] = [
    [container({ tcpPorts: [] })],
    [container({ tcpPorts: [80, 443] })],
    [labelled("port", "0")],
    [labelled("weight", "300")],
    [labelled("health", "off")],
    [labelled("drain", "10")],
    [labelled("network", "back")],
    [container({ networks: [network("back", "172.19.0.5"), network("front", "172.18.0.5")] })],
    [container({ networks: [network("back", "172.19.0.5")] }), { self: inContainer }],
    [container(), { self: elsewhere }],
    [container({ networkMode: "host" }), { self: inContainer }],
    [container({ networkMode: "none" })],
    [labelled("address", "host")],
    [container({ health: "starting" })],
    [container({ health: "unhealthy" })],
    [container({ state: "paused" })],
    [container({ state: "restarting" })],
    [container({ networks: [network("front", null)] })],
    [container({ networkMode: "container:gone" })],
    [container({ stopping: { signal: 15, sinceMs: 985_000 } })],
    [container({ stopping: { signal: SWARM_STOPS, sinceMs: 985_000 } })],
    [labelled("prot", "80")],
    [[container({ id: "a".repeat(64) }), container({ id: "b".repeat(64), createdAtMs: 2000 })]],
  ];
  const results = CASES.map(([given, settings]) =>
    containerServers([given].flat(), { ...containerSettings, ...settings }, 1_000_000),
  );

  test("of labels gives the reasons that containers really get", () => {
    const refused = table("docs/reference/labels.md", "cause", "reason").map((row) => row[1] ?? "");
    expect(refused.toSorted(compareText)).toEqual(
      results.flatMap(({ quarantined }) => quarantined.map(({ reason }) => reason)).toSorted(compareText),
    );
    const waiting = table("docs/reference/labels.md", "reason", "meaning").flatMap((row) =>
      (row[0] ?? "").split("`, `"),
    );
    expect(waiting.toSorted(compareText)).toEqual(
      results.flatMap((result) => result.waiting.map(({ reason }) => reason)).toSorted(compareText),
    );
    for (const { warnings } of results) {
      for (const { reason } of warnings) expect(read("docs/reference/labels.md")).toContain(`\n${reason}\n`);
    }
  });
});
