import { setTimeout as sleep } from "node:timers/promises";
import { startProber } from "../../test/support/prober.ts";
import type { PassJson } from "../../src/observe/status-json.ts";
import { duration, type Output } from "./output.ts";
import type { Parts } from "./parts.ts";
import { expectBalanced, sample } from "./traffic.ts";

/** One change, and how long it took from the start of its command until traffic showed it. */
export interface Measured {
  readonly what: string;
  readonly ms: number;
}

export interface Stage {
  readonly parts: Parts;
  readonly out: Output;
  readonly signal: AbortSignal;
}

const REQUESTS = 30;
/** A little longer than the option reload-interval, so that it delays none of the changes that are measured. */
const QUIET_MS = 1300;

/** Lets the reload interval pass. */
export const settle = ({ signal }: Stage): Promise<void> => sleep(QUIET_MS, undefined, { signal });

/** Registers all these servers at once. */
export async function register(stage: Stage, names: readonly string[]): Promise<Measured> {
  const { parts, out, signal } = stage;
  await using prober = startProber(parts.url);
  const before = await parts.daemon.lastPass();
  const startedAt = performance.now();
  for (const name of names) await parts.ctl("put", `/app/servers/${name}`, addressOf(parts, name));
  const times = await Promise.all(names.map((name) => prober.firstAnswer(name, { signal })));
  const ms = Math.max(...times) - startedAt;
  out.line(`all ${names.length} have answered after ${duration(ms)}`);
  await tellChanges(stage, before);
  return { what: `put ${names.join(", ")} -> first answer of the last`, ms };
}

/** Makes a change, and waits until traffic shows it. */
export async function change(
  stage: Stage,
  given: {
    name: string;
    kind: "comes" | "goes";
    what: string;
    act: () => Promise<void>;
    /** `act` does not wait for its command. */
    background?: boolean;
  },
): Promise<Measured> {
  const { parts, out, signal } = stage;
  const { name, kind } = given;
  await using prober = startProber(parts.url);
  if (kind === "goes") await prober.firstAnswer(name, { signal });
  const before = await parts.daemon.lastPass();
  const startedAt = performance.now();
  await given.act();
  const endedAt = performance.now();
  const seenAt = await (kind === "comes"
    ? prober.firstAnswer(name, { signal })
    : prober.lastAnswer(name, { signal }));
  const ms = seenAt - startedAt;
  const command = given.background === true ? "" : ` (the command itself: ${duration(endedAt - startedAt)})`;
  out.line(`${kind === "comes" ? "first" : "last"} answer of ${name} after ${duration(ms)}${command}`);
  await tellChanges(stage, before);
  const failed = [...prober.failures].map(([reason, count]) => `${count} x ${reason}`).join(", ");
  out.line(`${prober.sent} requests meanwhile, ${failed === "" ? "none failed" : `failed: ${failed}`}`);
  if (failed !== "") throw new Error(`requests failed while ${name} ${kind}: ${failed}`);
  return { what: given.what, ms };
}

/** Shows who answers how often; exactly these servers must, in turn. */
export async function showBalance({ parts, out }: Stage, names: readonly string[]): Promise<void> {
  const counts = await sample(parts.url, REQUESTS);
  out.line(`${REQUESTS} requests to ${parts.url}/`);
  out.bars(counts);
  expectBalanced(counts, names);
}

export function addressOf(parts: Parts, name: string): string {
  const app = parts.apps.get(name);
  if (app === undefined) throw new Error(`there is no web server ${name}`);
  return app.address;
}

/** What Rollcall itself says of the changes after that pass. */
async function tellChanges({ parts, out }: Stage, before: number): Promise<void> {
  for (const pass of await parts.daemon.appliedAfter(before)) out.line(`rollcall: ${describe(pass)}`);
}

function describe({ way, durationMs, timings, servers }: PassJson): string {
  const stages = Object.entries(timings).map(([stage, ms]) => `${stage} ${ms}`);
  return `${servers} server${servers === 1 ? "" : "s"} applied by ${way} in ${durationMs} ms (${stages.join(", ")})`;
}
