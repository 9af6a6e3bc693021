import { randomBytes } from "node:crypto";
import { docker } from "../scripts/lab/docker-cli.ts";
import { ensureImages, imageNames } from "../scripts/lab/images.ts";
import { type SharedEngine, sharedEngine } from "../scripts/lab/shared-engine.ts";
import { addressOf } from "./many-servers.ts";

/**
 * Many running containers on one engine. They have no network, which would take the engine minutes: their addresses
 * stand in a label.
 */
export interface ManyContainers extends AsyncDisposable {
  readonly engine: SharedEngine;
  /** Of their labels, in place of "rollcall": nobody else's containers have it. */
  readonly labelPrefix: string;
  readonly count: number;
  /** Starts more, until there are so many. */
  grow(count: number): Promise<void>;
}

const STARTERS = 4;
/** Of one call of the docker command. */
const PER_REMOVAL = 50;

export async function manyContainers(): Promise<ManyContainers> {
  const engine = await sharedEngine();
  await ensureImages(engine, ["app"]);
  const labelPrefix = `bench-${randomBytes(3).toString("hex")}`;
  const ids: string[] = [];
  let next = 0;
  const startOne = async (index: number): Promise<void> => {
    const [address = "", port = ""] = addressOf(index).split(":");
    const said = { enable: "true", name: `web-${index}`, address, port };
    const labels = Object.entries(said).flatMap(([key, value]) => [
      "--label",
      `${labelPrefix}.${key}=${value}`,
    ]);
    const flags = [...labels, "--network", "none", "--entrypoint", "/bin/busybox", imageNames.app];
    ids.push(await docker(engine, "run", "-d", ...flags, "sleep", "100000"));
  };
  return {
    engine,
    labelPrefix,
    get count() {
      return ids.length;
    },
    async grow(count) {
      const starter = async (): Promise<void> => {
        while (next < count) await startOne(next++);
      };
      await Promise.all(Array.from({ length: STARTERS }, starter));
    },
    async [Symbol.asyncDispose]() {
      while (ids.length > 0) await docker(engine, "rm", "-fv", ...ids.splice(0, PER_REMOVAL));
    },
  };
}
