import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { LABELS } from "../../src/core/container-labels.ts";
import { containerServers } from "../../src/core/container-servers.ts";
import { registryPicture } from "../../src/core/registry-picture.ts";
import { buildRoster, type Roster } from "../../src/core/roster.ts";
import { snapshot, type Snapshot } from "../../src/core/snapshot.ts";
import { fileSource } from "../../src/discovery/file.ts";
import { container, containerSettings, network } from "./container.ts";
import { eventually } from "./eventually.ts";
import { runSource } from "./run-source.ts";
import { tempDir } from "./temp-dir.ts";

/** Everything that somebody who means harm may write, where no operator would let him write into haproxy.cfg. */
export interface HostileInput {
  /** Keys below `/app/`, and their values. */
  readonly keys: readonly (readonly [key: string, value: string])[];
  readonly containers: readonly { names: string[]; labels: Record<string, string>; address: string }[];
  /** Entries of the static file. */
  readonly entries: Readonly<Record<string, unknown>>;
}

export const DEFAULT_BACKEND = "webserver";
/** The backends that `user-template.eta` prints, and some that are words elsewhere. */
const BACKENDS = ["plain", "lists", "sticky", "hashed", "cookies", DEFAULT_BACKEND, "main", "dns", "7", "07"];

/** Words that mean something to HAProxy; many of them are good names. */
const KEYWORDS =
  'global defaults frontend backend listen server server-template default-server lua-load lua-load-per-thread acl if unless or use_backend default_backend bind option http-request stats env setenv from name check ssl disabled init-addr source addr track cookie leader .if .include -f -m -i -- { } ! _ 0 -1 127.0.0.1:80 *:80 /etc/passwd %[env(HOME)] ${HOME} $HOME "${HOME}" "$(id)" `id` \'"\' \\\\ # ; | & < > [ ] ( ) , = : @ ~ ? * + ^ <%= %> <% {{ }} __proto__ constructor toString MASTER GLOBAL HTTPCLIENT <CLI>'.split(
    " ",
  );
const LINES = [
  "\n",
  "\r",
  "\0",
  "\t",
  "\v",
  "\u0085",
  "\u2028",
  "\u2029",
  "\u202e",
  "\ufeff",
  "\ud800",
  "ｓｅｒｖｅｒ",
  "ѕerver",
  "\u00a0",
];
const ATTACKS = [
  "a\nglobal\n  lua-load /tmp/x.lua",
  "/x }\n  acl evil always_true",
  "/x } || { always_true",
  "a.org } or { always_true",
  "10.0.0.1:80\n  server evil 6.6.6.6:80",
  '"$HOME"',
  "x".repeat(70_000),
  "/".repeat(300),
  "//",
  "/a//",
  "/-f",
  "/if",
  "/or,-i",
  "*.or.if",
  "if",
  "or",
  "unless.and",
];
const odd = fc.oneof(
  fc.constantFrom(...KEYWORDS),
  fc.constantFrom(...ATTACKS),
  fc
    .array(fc.constantFrom(...KEYWORDS, ...LINES, " ", "a"), { maxLength: 5 })
    .map((pieces) => pieces.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const mostly = (...good: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: odd });

/** What nearly is a good text: one odd character or word, where each of the good ones may stand. */
const bit = fc.constantFrom(
  ...KEYWORDS,
  ...LINES,
  " ",
  "'",
  " } or { always_true",
  " y",
  "%",
  "$X",
  "\\ ",
  "\\n",
);
const nearly = (before: string, after = ""): fc.Arbitrary<string> => bit.map((text) => before + text + after);

const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYWORDS) },
  { weight: 2, arbitrary: nearly("a") },
  { weight: 8, arbitrary: mostly("a", "b", "if", "leader") },
);
const backend = fc.oneof(
  { weight: 9, arbitrary: mostly(...BACKENDS, "if", "from", "global", "lua-load", "constructor") },
  { weight: 1, arbitrary: nearly("a") },
);
const host = fc.oneof(mostly("a.org", "*.b.org", "if", "or.unless", "_x.org"), nearly("a", ".org"));
const path = fc.oneof(mostly("/", "/or", "/a/b//", "/x?y=1&z=a:b@c,d~e+f", "/-f"), nearly("/x"));
const address = fc.oneof(
  { weight: 9, arbitrary: mostly("10.0.0.1:80", "[fd00::5]:81", "app:82", "if.or:83", "_a:84") },
  { weight: 1, arbitrary: nearly("10.0.0.1:80") },
);
/** One value for each word about a server. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  weight: mostly("0", "256"),
  backup: mostly("true"),
  maxconn: mostly("5"),
  state: mostly("ready", "drain", "maint"),
  host,
  path,
  tags: fc.oneof(mostly("blue,canary", "server,acl"), nearly("a,b")),
  "meta.lua-load": fc.oneof(mostly("{ /tmp/x.lua }", "a b | c", "} or { always_true"), nearly("a")),
};
const words = fc.uniqueArray(fc.constantFrom(...Object.keys(FIELDS), "check"), { maxLength: 4 });
const checkPath = fc.oneof(mostly("/healthz", "/x?a=b:c@d,e~f+g&h", "/-if"), nearly("/x"));
const fields = words.chain((names) =>
  fc.record(Object.fromEntries(names.map((one) => [one, FIELDS[one] ?? checkPath]))),
);
const numbers = new Set(["weight", "maxconn"]);
const asJson = (given: Readonly<Record<string, string>>): Record<string, unknown> => {
  const { "meta.lua-load": meta, check, tags, backup, ...rest } = given;
  return {
    ...Object.fromEntries(
      Object.entries(rest).map(([key, text]) => [key, numbers.has(key) ? Number(text) : text]),
    ),
    ...(meta === undefined ? {} : { meta: { [meta.slice(0, 3)]: meta, "lua-load": meta } }),
    ...(check === undefined ? {} : { check: { path: check } }),
    ...(tags === undefined ? {} : { tags: tags.split(",") }),
    ...(backup === undefined ? {} : { backup: backup === "true" }),
  };
};
const object = fc.tuple(address, fields).map(([at, more]) => ({ address: at, ...asJson(more) }));
const plain = fc
  .tuple(address, fields)
  .map(([at, more]) => [at, ...Object.entries(more).map(([key, text]) => `${key}=${text}`)].join(" "));
const value = fc.oneof(
  plain,
  object.map((one) => JSON.stringify(one)),
  object.map((one) => JSON.stringify(one, null, 2)),
  odd,
);
const tail = fc.oneof(
  name,
  fc.tuple(backend, name).map(([of, one]) => `${of}/${one}`),
);
const key = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(
      tail.map((one) => `servers/${one}`),
      value,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(
      tail.map((one) => `overrides/${one}`),
      mostly("drain", "weight=3", "maint"),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(
      odd.map((one) => `config/${one}`),
      fc.oneof(value, odd),
    ),
  },
);
const label = fc.oneof(
  fc
    .tuple(fc.constantFrom(...Object.keys(FIELDS), "check.path"), fc.nat())
    .chain(([one]) => fc.tuple(fc.constant(`rollcall.${one}`), FIELDS[one] ?? checkPath)),
  fc.tuple(fc.constantFrom("rollcall.name", "SERVICE_NAME", "SERVICE_ID"), name),
  fc.tuple(fc.constant("rollcall.backend"), backend),
  fc.tuple(fc.constantFrom("VIRTUAL_HOST"), host),
  fc.tuple(fc.constantFrom("VIRTUAL_PATH"), path),
  fc.tuple(fc.constantFrom("SERVICE_TAGS", "SERVICE_80_CHECK_HTTP", "SERVICE_X"), odd),
  fc.tuple(
    fc.oneof(
      fc.constantFrom(...LABELS).map((one) => `rollcall.${one}`),
      odd.map((one) => `rollcall.${one}`),
    ),
    odd,
  ),
);
const anyContainer = fc.record({
  names: fc.array(name, { maxLength: 2 }),
  labels: fc
    .array(label, { maxLength: 5 })
    .map((given) => Object.fromEntries([["rollcall.enable", "true"], ...given]) as Record<string, string>),
  address: mostly("10.0.0.7", "fd00::7"),
});

/** @param size how many entries of each kind there are. */
export const hostileInput = (size: number): fc.Arbitrary<HostileInput> =>
  fc.record({
    keys: fc.array(
      key.map(([below, text]) => [`/app/${below}`, text] as const),
      { minLength: size, maxLength: size },
    ),
    containers: fc.array(anyContainer, { minLength: size, maxLength: size }),
    entries: fc
      .array(fc.tuple(tail, fc.oneof(plain, object, odd)), { minLength: size, maxLength: size })
      .map((pairs) => Object.fromEntries(pairs)),
  });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The roster that the sources make of it, with the snapshots of each. */
export async function rosterOf(input: HostileInput): Promise<Roster> {
  const pictures = [ofRegistry(input), ofContainers(input), await ofFile(input)];
  return buildRoster(pictures, { defaultBackend: DEFAULT_BACKEND });
}

function ofRegistry({ keys }: HostileInput): Snapshot {
  const picture = registryPicture({
    source: "etcd",
    prefix: "/app/servers/",
    overridesPrefix: "/app/overrides/",
    watch: ["/app/config/"],
    defaultBackend: DEFAULT_BACKEND,
  });
  for (const [at, text] of keys)
    picture.put({ key: bytes(at), value: bytes(text), modRevision: "7", isLeased: false });
  return picture.snapshot("9");
}

function ofContainers({ containers }: HostileInput): Snapshot {
  const listed = containers.map(({ names, labels, address: at }, index) => ({
    ...container({ id: index.toString(16).padStart(64, "0"), names, networks: [network("front", at)] }),
    labels: new Map(Object.entries(labels)),
  }));
  const foreign = { registrator: true, nginxProxy: true };
  const read = containerServers(listed, { ...containerSettings, foreign }, 0);
  return snapshot({ source: "docker", revision: "1", ...read });
}

async function ofFile({ entries }: HostileInput): Promise<Snapshot> {
  await using folder = await tempDir();
  const path = join(folder.path, "servers.yaml");
  await writeFile(path, JSON.stringify(entries));
  await using run = runSource(fileSource({ path, defaultBackend: DEFAULT_BACKEND }));
  await eventually(() => {
    if (run.snapshots.length === 0) throw new Error("the file was not read");
  });
  return run.snapshots[0] as Snapshot;
}
