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
import {
  address,
  backend,
  checkPath,
  DEFAULT_BACKEND,
  FIELDS,
  fields,
  host,
  mostly,
  name,
  odd,
  path,
} from "./hostile-texts.ts";
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
  const file = join(folder.path, "servers.yaml");
  await writeFile(file, JSON.stringify(entries));
  await using run = runSource(fileSource({ path: file, defaultBackend: DEFAULT_BACKEND }));
  await eventually(() => {
    if (run.snapshots.length === 0) throw new Error("the file was not read");
  });
  return run.snapshots[0] as Snapshot;
}
