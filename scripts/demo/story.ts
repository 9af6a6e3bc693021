import { randomBytes } from "node:crypto";
import { haproxyBinary, versionOf } from "../lab/haproxy.ts";
import { etcdBinaries } from "../lab/etcd.ts";
import { showContainer } from "./container.ts";
import { runningEngine } from "./engine.ts";
import { duration, type Output } from "./output.ts";
import { type Parts, startParts } from "./parts.ts";
import { addressOf, change, type Measured, register, settle, showBalance } from "./steps.ts";

const HAPROXY = "3.2";
const FIRST = ["web1", "web2", "web3"];

/**
 * The whole demo, from what it needs to what it saw. Everything that it starts ends with it.
 * @param options.stay Resolves when the demo may end, after the last step.
 * @throws Error when a step was not seen to work, or when `signal` aborts.
 */
export async function story(options: {
  dir: string;
  out: Output;
  signal: AbortSignal;
  stay: () => Promise<void>;
}): Promise<void> {
  const { dir, out, signal } = options;
  out.heading("What it needs");
  const haproxy = await haproxyBinary(HAPROXY);
  await etcdBinaries();
  signal.throwIfAborted();
  const engine = await runningEngine();
  out.table([
    ["HAProxy", (await versionOf(haproxy)) ?? ""],
    ["etcd", "3.5"],
    ["Docker engine", "reason" in engine ? `left out: ${engine.reason}` : engine.dockerHost],
  ]);
  const labelPrefix = `demo-${randomBytes(3).toString("hex")}`;
  const docker = "reason" in engine ? null : { ...engine, labelPrefix };

  out.heading("Starting, each on a free port of 127.0.0.1");
  const appNames = [...FIRST, "web4"];
  await using parts = await startParts({ dir, haproxy, docker, appNames, out, signal });
  const stage = { parts, out, signal };
  const seen: Measured[] = [];

  // Rollcall has just reloaded HAProxy once, to know what it runs.
  await settle(stage);
  out.heading("Registering three servers");
  seen.push(await register(stage, FIRST));
  await settle(stage);
  await showBalance(stage, FIRST);

  out.heading("Taking one away");
  const remove = ["del", "/app/servers/web2"];
  seen.push(
    await change(stage, {
      name: "web2",
      kind: "goes",
      act: () => parts.ctl(...remove),
      what: "del web2 -> its last answer",
    }),
  );
  await settle(stage);
  await showBalance(stage, ["web1", "web3"]);

  out.heading("Adding one");
  const add = ["put", "/app/servers/web4", addressOf(parts, "web4")];
  seen.push(
    await change(stage, {
      name: "web4",
      kind: "comes",
      act: () => parts.ctl(...add),
      what: "put web4 -> its first answer",
    }),
  );
  await settle(stage);
  const others = ["web1", "web3", "web4"];
  await showBalance(stage, others);

  out.heading("A container that registers itself");
  if (docker !== null) seen.push(...(await showContainer(stage, { docker, dir, others })));
  else
    out.line(
      "Left out. To see it, start a Docker engine, or as root the lab's own: npx node scripts/setup.ts docker",
    );

  out.heading("What was seen");
  out.table(seen.map(({ what, ms }) => [what, duration(ms)]));
  out.line("Times count from the start of the command. Rollcall reloads HAProxy at most once a second");
  out.line("(option reload-interval): of several changes in a second, all but the first wait for it.");
  out.line("Every step was seen to work.");
  showAddresses(parts, out);
  await options.stay();
}

function showAddresses(parts: Parts, out: Output): void {
  const { url, daemon, configFile, setUp } = parts;
  out.heading("Where to look");
  out.table([
    [`${url}/`, "what clients see"],
    [`${url}/haproxy-stats`, "HAProxy's statistics"],
    [`${daemon.url}/readyz`, "whether HAProxy runs what is wanted, and why not"],
    [`${daemon.url}/api/status`, "everything that Rollcall knows, as JSON"],
    [`${daemon.url}/metrics`, "for Prometheus"],
    [configFile, "what Rollcall wrote"],
  ]);
  out.heading("What to try, in another terminal");
  for (const line of [
    ...setUp,
    `etcdctl put /app/servers/web2 ${addressOf(parts, "web2")}           # brings web2 back`,
    "etcdctl put /app/overrides/web1 drain                   # no new requests for web1",
    "etcdctl put /app/servers/bad nonsense                   # refused; /api/status says why",
    "etcdctl del /app/overrides/web1                         # they come again",
    `for i in 1 2 3 4 5 6; do curl -s ${url}/; echo; done`,
    "bin/rollcall render --diff   # what would change; nothing, when Rollcall runs",
    "bin/rollcall check           # the doctor",
  ])
    out.line(line);
}
