/** `npm run demo`: Rollcall at work on one machine; see scripts/demo/options.ts for what it does. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { endSignal } from "./demo/end-signal.ts";
import { HELP, readOptions } from "./demo/options.ts";
import { output } from "./demo/output.ts";
import { story } from "./demo/story.ts";
import { type WorkDir, workDir } from "./demo/work-dir.ts";

/** What has not ended by itself within this time after a signal ends with this process. */
const END_MS = 1500;

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`demo: ${options}\n`);
    return 64;
  }
  if (!options.help) return show(options.once);
  write(`${HELP}\n`);
  return 0;
}

async function show(onlyOnce: boolean): Promise<number> {
  forgetRollcallVariables();
  const bold = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  const signal = endSignal();
  const dir = workDir();
  let worked = false;
  const stay = async (): Promise<void> => {
    worked = true;
    if (onlyOnce || signal.aborted) return;
    write("\nCtrl-C ends it all.\n");
    await once(signal, "abort");
  };
  write("Rollcall's demo. It touches nothing but its own processes and two folders, .lab and\n");
  write(`${dir.path}.\n`);
  const told = story({ dir: dir.path, out: output({ write, bold }), signal, stay });
  const end = await Promise.race([told.then(() => "told" as const, asError), hardEnd(signal)]);
  if (end instanceof Error && !signal.aborted) explain(end, dir);
  // What has not ended yet ends with this process, and then the folder goes too.
  if (end !== "late") dir.remove();
  if (!signal.aborted) return worked ? 0 : 1;
  write("\nEnded; nothing is left running.\n");
  return worked ? 0 : 130;
}

const write = (text: string): void => void process.stdout.write(text);
const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** Variables of the caller's own Rollcall must not reach the one of the demo. */
function forgetRollcallVariables(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith("ROLLCALL_")) delete process.env[name];
}

async function hardEnd(signal: AbortSignal): Promise<"late"> {
  await once(signal, "abort");
  return sleep(END_MS, "late");
}

/** Says what failed, what can be done about it, and where the logs are. */
function explain(error: Error, dir: WorkDir): void {
  write(`\nFAILED: ${error.message}\n`);
  const logs = dir.keepLogs();
  if (logs !== null) write(`The logs of etcd, HAProxy and Rollcall are in ${logs}\n`);
  const { code, command = "" } = error as { code?: string; command?: string };
  const notDebian = code === "ENOENT" || command.includes("apt-get");
  write(
    notDebian
      ? "The demo needs a Debian machine (apt-get, dpkg, setpriv, flock) that reaches its package mirror.\n"
      : "Once more may help on a busy machine. If not, the logs say which part went wrong.\n",
  );
}

process.exit(await main(process.argv.slice(2)));
