import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../../scripts/lab/child.ts";
import { haproxyBinary, type HaproxyVersion } from "../../scripts/lab/haproxy.ts";
import { controlHaproxy, type HaproxyProcess } from "./haproxy-control.ts";

export type { HaproxyProcess };

export interface HaproxyOptions {
  /** A branch of the lab, or the path of an executable. */
  version: HaproxyVersion | { binary: string };
  /** Must have a `stats socket` line with level admin: it is how the helper sees what HAProxy does. */
  configFile: string;
  /** Path for the master's socket; without it there is none. */
  masterSocket?: string;
  /** Where the log goes. */
  dir: string;
  /** Start it again whenever it ends without `stop`, as a container's restart policy does. */
  supervise?: boolean;
}

/** Starts HAProxy and waits until its worker answers (about 0.1 s). */
export async function startHaproxy(options: HaproxyOptions): Promise<HaproxyProcess> {
  const { version, configFile, masterSocket, dir } = options;
  const binary = typeof version === "string" ? await haproxyBinary(version) : version.binary;
  const master = masterSocket === undefined ? [] : ["-S", `${masterSocket},level,admin`];
  const haproxy = controlHaproxy({
    launch: () =>
      new Child({
        command: [binary, "-W", "-db", "-f", configFile, ...master],
        logFile: join(dir, "haproxy.log"),
      }),
    supervise: options.supervise ?? false,
    config: readFileSync(configFile, "utf8"),
    masterSocket,
  });
  try {
    await haproxy.ready();
    return haproxy;
  } catch (error) {
    await haproxy.stop();
    throw error;
  }
}
