import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type HaproxyVersion, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { eventually } from "../support/eventually.ts";
import { serversOfFreshStart } from "../support/fresh-start.ts";
import { describeServer, runningServers } from "../support/running-servers.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import type { Stack } from "../support/stack.ts";
import { stacksOfSuite, troubleOf } from "../support/stacks.ts";
import {
  type Change,
  wantedRoster,
  type WantedRoster,
  type WantedServer,
  writeChange,
} from "../support/wanted-roster.ts";

/** Rosters for each branch and template; more with the variable WALK_STEPS. */
const STEPS = Number(process.env["WALK_STEPS"] ?? 20);
const NAMES = ["leader", "a", "web.1", "B-2_x", "10", `long-${"x".repeat(55)}`];
/** Nobody listens there: only what HAProxy knows is looked at. */
const PLACES = ["127.0.0.1", "127.0.0.2", "::1"].flatMap((host) => [1, 2, 3].map((port) => ({ host, port })));

function randomServer(random: SeededRandom): WantedServer {
  const one = <T>(...values: readonly T[]): T => random.pick(values);
  // Rare where a change is a reload: what only the socket did so far must have time to go wrong.
  const isPlain = random.below(4) > 0;
  const fields = {
    weight: one(undefined, 0, 1, 7, 50, 255, 256),
    maxconn: one(undefined, undefined, 1, 100),
    state: one(undefined, undefined, "drain", "maint", "ready"),
    backup: isPlain ? undefined : one(undefined, true),
    // One path only: a backend has one, and another is a reload.
    check: isPlain ? undefined : one("off", "on", "/healthz"),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { ...random.pick(PLACES), ...Object.fromEntries(given) };
}

function randomChange(wanted: WantedRoster, random: SeededRandom, backends: readonly string[]): Change {
  const id = `${random.pick(backends)}/${random.pick(NAMES)}`;
  const old = wanted.servers.get(id);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { id, server: null };
    case 2:
      return { id, override: random.pick(["drain", "maint", "ready", "weight=3", null]) };
    case 3:
    case 4:
      return { id, server: { ...old, ...random.pick(PLACES) } };
    case 5:
      return { id, server: { ...random.pick(PLACES), ...old, weight: random.below(257) } };
    default:
      return { id, server: randomServer(random) };
  }
}

interface Walk {
  readonly stack: Stack;
  readonly version: HaproxyVersion;
  readonly random: SeededRandom;
  readonly backends: readonly string[];
}

/** Makes one random roster after the other, each of some changes at once, and compares what runs after each. */
async function walk({ stack, version, random, backends }: Walk): Promise<void> {
  const { etcd, haproxy, dir } = stack;
  let wanted = wantedRoster();
  for (let step = 1; step <= STEPS; step++) {
    const changes: Change[] = [];
    const make = async (change: Change): Promise<void> => {
      changes.push(change);
      wanted = wanted.after(change);
      await writeChange(etcd, change);
    };
    const count = random.pick([1, 1, 1, 2, 4, 12]);
    for (let change = 0; change < count; change++) await make(randomChange(wanted, random, backends));
    // Written last: where it is seen, the others must be there too.
    await make({
      id: `${backends[0]}/step`,
      server: { host: "127.0.0.1", port: 9, weight: 1 + (step % 250) },
    });
    try {
      await eventually(async () => {
        const running = (await runningServers(haproxy)).filter(
          ({ name }) => !/^(?:slot\d|fixed)$/.test(name),
        );
        const ids = running.map((server) => `${server.backend}/${server.name}`);
        expect(ids).toEqual([...wanted.servers.keys()].toSorted());
        expect(running.find(({ name }) => name === "step")?.weight).toBe(1 + (step % 250));
      });
      await eventually(async () => {
        const text = stack.config();
        const fresh = await serversOfFreshStart({ version, text, dir });
        expect((await runningServers(haproxy)).map(describeServer)).toEqual(fresh.map(describeServer));
        const revision = /description "(rev=\w+) /.exec(text)?.[1] ?? "no revision";
        expect(await haproxy.show("show info")).toContain(revision);
      });
    } catch (error) {
      const what = changes.map((change) => JSON.stringify(change)).join("\n");
      const where = `HAProxy ${version}, seed ${random.seed}, step ${step}`;
      throw new Error(`${where}:\n${what}\n${troubleOf(stack)}`, { cause: error });
    }
  }
}

const USER_TEMPLATE = fileURLToPath(new URL("../support/user-template.eta", import.meta.url));

describe.each([
  ["the default template", { backends: ["webserver", "api", "static"] }],
  [
    "a user's template",
    {
      backends: ["plain", "lists", "sticky", "hashed", "cookies"],
      options: { template: USER_TEMPLATE, "default-backend": "plain" },
    },
  ],
])("a random walk with %s", (name, { backends, options = {} }: { backends: string[]; options?: object }) => {
  const stackOf = stacksOfSuite({ options: { "reload-interval": "1ms", ...options } });

  it.concurrent.each(haproxyVersions)(
    "HAProxy %s runs what its file says, after each step",
    { timeout: 60_000 + STEPS * 5000 },
    async (version) => {
      const stack = stackOf(version);
      const random = seededRandom(version);
      await walk({ stack, version, random, backends });
      expect(stack.haproxy.starts).toBe(1);
      console.log(
        `${name}, HAProxy ${version}: ${STEPS} steps, ${stack.reloads()} reloads; seed ${random.seed}`,
      );
    },
  );
});
