import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "../scripts/lab/docker-cli.ts";
import { ensureImages, imageNames } from "../scripts/lab/images.ts";
import { type SharedEngine, sharedEngine } from "../scripts/lab/shared-engine.ts";
import { eventually } from "../test/support/eventually.ts";
import { startProber } from "../test/support/prober.ts";
import { type Stack, startStack } from "../test/support/stack.ts";
import { ROLLCALL, untilReady } from "./actors.ts";
import type { Progress } from "./options.ts";
import type { Row } from "./rows.ts";
import type { Sizes } from "./sizes.ts";

/** Longer than the option reload-interval: what is measured never waits for it. */
const SPACING_MS = 1250;
const DIRECT = "asked directly";

/**
 * Time from a container's start, as the engine has noted it, to its first response through HAProxy, and beside it to
 * its first response to one who asks it directly at the same time: what the application itself takes.
 */
export async function containers(sizes: Sizes, progress: Progress): Promise<readonly Row[]> {
  const engine = await sharedEngine();
  await ensureImages(engine, ["app"]);
  const prefix = `bench-${randomBytes(3).toString("hex")}`;
  const options = {
    "etcd-endpoints": "off",
    docker: "on",
    "docker-host": engine.dockerHost,
    "label-prefix": prefix,
    "log-level": "info",
  };
  await using stack = await startStack({ version: "3.2", options });
  await untilReady(stack);
  const [through, direct]: [number[], number[]] = [[], []];
  for (let count = 0; count < sizes.containers; count++) {
    progress(`container start: ${count + 1} of ${sizes.containers}`);
    await sleep(SPACING_MS);
    const name = `${prefix}-${count}`;
    try {
      const seen = await startOne({ engine, stack, prefix, name });
      through.push(seen.throughMs);
      direct.push(seen.directMs);
    } finally {
      await docker(engine, "rm", "-fv", name);
    }
    if (count + 1 < sizes.containers) await untilEmpty(stack);
  }
  const figure = "container start -> first response";
  const row = (who: string, values: number[]): Row => ({ figure, who, unit: "ms", values, floor: DIRECT });
  return [row(ROLLCALL, through), row(DIRECT, direct)];
}

async function startOne(given: {
  engine: SharedEngine;
  stack: Stack;
  prefix: string;
  name: string;
}): Promise<{ throughMs: number; directMs: number }> {
  const { engine, stack, prefix, name } = given;
  const labels = ["--label", `${prefix}.enable=true`, "--label", `${prefix}.name=${name}`];
  await docker(engine, "create", "--name", name, "-e", `NAME=${name}`, ...labels, imageNames.app);
  await using through = startProber(stack.url);
  const offsetMs = Date.now() - performance.now();
  await docker(engine, "start", name);
  const format = "{{.NetworkSettings.IPAddress}} {{.State.StartedAt}}";
  const [ip, startedAt = ""] = (await docker(engine, "inspect", "-f", format, name)).split(" ");
  await using direct = startProber(`http://${ip}:8000`);
  const since = (at: number): number => offsetMs + at - Date.parse(startedAt);
  const [throughAt, directAt] = [await through.firstAnswer(name), await direct.firstAnswer(name)];
  return { throughMs: since(throughAt), directMs: since(directAt) };
}

/** Resolves when HAProxy was reloaded without the container: it leaves in two steps, drained first and removed then. */
function untilEmpty({ daemon }: Stack): Promise<void> {
  return eventually(async () => {
    const [newest] = (await daemon.status()).changes;
    if (newest?.kind !== "applied" || newest.servers !== 0) throw new Error(JSON.stringify(newest));
  });
}
