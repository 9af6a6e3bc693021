/** `npm run soak`: Rollcall under random faults on every part; see soak/options.ts for what it does. */
import { afterDeath } from "../scripts/demo/after-death.ts";
import { endSignal } from "../scripts/demo/end-signal.ts";
import { tempDir } from "../test/support/temp-dir.ts";
import { HELP, readOptions, type SoakOptions } from "./options.ts";
import { table } from "./report.ts";
import { partOf } from "./rounds.ts";
import { soak } from "./run.ts";
import { mayMount } from "./small-disk.ts";

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`soak: ${options}\n`);
    return 64;
  }
  if (options.help) {
    write(HELP);
    return 0;
  }
  for (const name of Object.keys(process.env)) if (name.startsWith("ROLLCALL_")) delete process.env[name];
  process.env["TEST_SEED"] = String(options.seed);
  const signal = endSignal();
  await using dir = await tempDir();
  // Whatever becomes of this process: no file system stays mounted, and no folder stays.
  const clean = 'umount -l "$1/state" "$1/etc" 2>/dev/null; rm -rf -- "$1"';
  const otherwise = afterDeath(["sh", "-c", clean, "sh", dir.path]);
  const faults = possible(options);
  const minutes = (options.durationMs / 60_000).toFixed(1);
  write(`Soak of ${minutes} min, seed ${options.seed}, in ${dir.path}`);
  write(`Faults: ${faults.join(", ")}`);
  const figures = await soak({ options: { ...options, faults }, dir: dir.path, signal, write });
  otherwise.cancel();
  write(table(figures));
  if (signal.aborted) {
    write("Interrupted before its time.");
    return 130;
  }
  return figures.problems.length + figures.unexplained.length > 0 ? 1 : 0;
}

/** Without a tmpfs no disk can be filled; a leader that is killed on time leaves no other member to spare. */
function possible({ faults, leaderEveryMs }: SoakOptions): SoakOptions["faults"] {
  return faults.filter((name) => {
    if (partOf(name) === "disk") return mayMount();
    return leaderEveryMs === null || partOf(name) !== "etcd";
  });
}

const write = (text: string): void => void process.stdout.write(`${text}\n`);

process.exit(await main(process.argv.slice(2)));
