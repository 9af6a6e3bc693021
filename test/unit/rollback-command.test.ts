import { expect, test } from "vitest";
import { readCommandLine } from "../../src/command-line.ts";
import { rollback } from "../../src/commands/rollback.ts";
import { readConfig } from "../../src/config.ts";
import { daemonRoutes } from "../../src/observe/daemon-routes.ts";
import { startHttp } from "../../src/observe/http.ts";
import { stampLine } from "../../src/core/stamp.ts";
import { historyKeeper } from "../../src/state/history.ts";
import { openStateFolder } from "../../src/state/state-folder.ts";
import { writeTrouble } from "../../src/state/write-trouble.ts";
import { nullLogger } from "../support/null-logger.ts";
import { APPLIED, healthyStatus, NOW_MS, passRecord } from "../support/status.ts";
import { tempDir } from "../support/temp-dir.ts";

const [A, B] = ["a".repeat(16), "b".repeat(16)];

/** Runs the command beside a daemon that has taken the order, and has just ended a pass. */
async function run(given: {
  path: string;
  digest: string;
  args: readonly string[];
}): Promise<{ code: number; printed: string }> {
  const { path, digest, args } = given;
  const metrics = { text: () => Promise.resolve(""), contentType: "text/plain" };
  const status = () =>
    healthyStatus({
      applied: { revision: A, digest, pid: 4242, sinceMs: Date.now() },
      pin: { entry: 1, sinceMs: Date.now() },
      lastPass: passRecord(9, NOW_MS - Date.now(), { kind: "unchanged" }),
    });
  const routes = daemonRoutes({ status, metrics });
  const http = await startHttp({ host: "127.0.0.1", port: 0, routes, log: nullLogger });
  const [address = ""] = /127.0.0.1:[0-9]+/.exec(http.address) ?? [];
  const options = ["--state-dir", path, "--http", address];
  const typed = readCommandLine(["rollback", ...args, ...options], [rollback]);
  if (typed.kind !== "command") throw new Error(JSON.stringify(typed));
  const { config } = readConfig({ flags: typed.options, env: {}, readFile: () => null });
  let printed = "";
  const print = (text: string): void => void (printed += text);
  const signal = AbortSignal.timeout(1000);
  const code = await rollback.run({
    config,
    args: typed.args,
    flags: typed.flags,
    env: {},
    log: nullLogger,
    print,
    signal,
    kill: () => undefined,
    nodeVersion: "24.0.0",
  });
  await http.close();
  return { code, printed };
}

test("a rollback is done when HAProxy runs the text of the entry, and not by a pass that may be an older one", async () => {
  await using dir = await tempDir();
  const folder = await openStateFolder(dir.path, nullLogger);
  const keeper = await historyKeeper(
    folder,
    writeTrouble({ path: dir.path, log: nullLogger, now: Date.now }),
  );
  const record = passRecord(1, 0, APPLIED);
  const text = `global\n  ${stampLine({ revision: A, digest: A })}\n`;
  keeper.note({ record, causes: [], moreCauses: 0, losses: [], rolledBackTo: null }, text);
  await keeper.run(AbortSignal.abort());
  const { path } = dir;
  expect(await run({ path, digest: B, args: ["--release"] })).toMatchObject({ code: 0 });
  expect(await run({ path, digest: B, args: ["1"] })).toMatchObject({ code: 1 });
  expect(await run({ path, digest: A, args: ["1"] })).toMatchObject({ code: 0 });
});
