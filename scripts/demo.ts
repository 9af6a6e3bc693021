/** `npm run demo`: Rollcall at work on one machine; see scripts/demo/options.ts for what it does. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { endSignal } from "./demo/end-signal.ts";
import { HELP, readOptions } from "./demo/options.ts";
import { output } from "./demo/output.ts";
import { story } from "./demo/story.ts";
import { workDir } from "./demo/work-dir.ts";

/** What has not ended by itself within this time after a signal ends with this process. */
const END_MS = 1500;

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  const write = (text: string): void => void process.stdout.write(text);
  if (options.help) {
    write(`${HELP}\n`);
    return 0;
  }
  forgetRollcallVariables();
  const bold = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  const out = output({ write, bold });
  const signal = endSignal();
  const dir = workDir();
  let worked = false;
  const stay = async (): Promise<void> => {
    worked = true;
    if (options.once || signal.aborted) return;
    write("\nCtrl-C ends it all.\n");
    await once(signal, "abort");
  };
  write("Rollcall's demo. It touches nothing but its own processes and two folders, .lab and\n");
  write(`${dir.path}.\n`);
  try {
    const told = story({ dir: dir.path, out, signal, stay });
    await Promise.race([told, hardEnd(signal)]);
  } catch (error) {
    if (signal.aborted) return interrupted(write, worked);
    write(`\nFAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    const logs = dir.keepLogs();
    if (logs !== null) write(`The logs of etcd, HAProxy and Rollcall are in ${logs}\n`);
    write(`${advice(error)}\n`);
    return 1;
  }
  return signal.aborted ? interrupted(write, worked) : 0;
}

/** Variables of the caller's own Rollcall must not reach the one of the demo. */
function forgetRollcallVariables(): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith("ROLLCALL_") && name !== "ROLLCALL_LAB_DIR") delete process.env[name];
}

async function hardEnd(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
  await sleep(END_MS);
}

function interrupted(write: (text: string) => void, worked: boolean): number {
  write("\nEnded; nothing is left running.\n");
  return worked ? 0 : 130;
}

/** What somebody who sees it fail can do. */
function advice(error: unknown): string {
  const { code, command } = error as { code?: string; command?: string };
  if (code === "ENOENT" || (command ?? "").includes("apt-get"))
    return "The demo needs a Debian machine (apt-get, dpkg, setpriv, flock) that reaches its package mirror.";
  return "Once more may help on a busy machine. If not, the logs say which part went wrong.";
}

process.exit(await main(process.argv.slice(2)));
