import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Child } from "../../scripts/lab/child.ts";
import { haproxyBinary, type HaproxyVersion } from "../../scripts/lab/haproxy.ts";
import { eventually } from "./eventually.ts";
import { runningServers, type RunningServer } from "./running-servers.ts";
import { askSocket } from "./stats-socket.ts";

/**
 * The servers that a HAProxy runs that has just started with this text. Its stats socket and its binds are other
 * ones, so that it does not get in the way of the HAProxy whose text it is.
 * @param given.dir Folder for its files; unix sockets must fit in there, so its path has 80 characters at most.
 * @throws Error with HAProxy's own words when it does not start.
 */
export async function serversOfFreshStart(given: {
  version: HaproxyVersion;
  text: string;
  dir: string;
}): Promise<readonly RunningServer[]> {
  const dir = join(given.dir, "fresh");
  mkdirSync(dir, { recursive: true });
  const [file, socket, logFile] = [
    join(dir, "haproxy.cfg"),
    join(dir, "admin.sock"),
    join(dir, "haproxy.log"),
  ];
  let binds = 0;
  const text = given.text
    .replace(/^(\s*stats socket )\S+/m, `$1${socket}`)
    .replace(/^(\s*bind )\S+/gm, (_, before: string) => `${before}unix@${join(dir, `bind${binds++}.sock`)}`);
  writeFileSync(file, text);
  writeFileSync(logFile, "");
  const haproxy = new Child({ command: [await haproxyBinary(given.version), "-db", "-f", file], logFile });
  try {
    return await eventually(
      () => {
        if (!haproxy.alive) throw new Error(`HAProxy does not start with the file:\n${haproxy.log()}`);
        return runningServers({ show: (line) => askSocket(socket, line) });
      },
      { everyMs: 5, timeoutMs: 5000 },
    );
  } finally {
    await haproxy.kill();
  }
}
