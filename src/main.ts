import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { COMMANDS } from "./all-commands.ts";
import { readCommandLine } from "./command-line.ts";
import { CommandError, EXIT } from "./commands/command.ts";
import { readConfig } from "./config.ts";
import { commandHelp, generalHelp, usageOf } from "./help.ts";
import { messageOf } from "./lib/errors.ts";
import { createLogger } from "./observe/log.ts";

/* The only user of `process`: arguments, environment, signals, exit code. */

/** After a first signal everything ends by itself; what does not within this time, in milliseconds, is left behind. */
const EXIT_AFTER_MS = 4500;
/** When what Node compiled is kept, in milliseconds after the start: otherwise only a process that ends well does so. */
const KEEP_COMPILED_MS = 3000;
/** The longest rollcall.yaml that is read. */
const MAX_CONFIG_BYTES = 256 * 1024;

const print = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
const complain = (lines: readonly string[]): void => void process.stderr.write(`${lines.join("\n")}\n`);

const toStandardError = (line: string): boolean =>
  process.stderr.write(line.endsWith("\n") ? line : `${line}\n`);

async function main(args: readonly string[]): Promise<number> {
  const typed = readCommandLine(args, COMMANDS);
  if (typed.kind === "help") {
    print(typed.command === null ? generalHelp(COMMANDS) : commandHelp(typed.command));
    return args.length === 0 ? EXIT.usage : EXIT.good;
  }
  if (typed.kind === "usage") {
    complain([
      ...typed.problems.map((problem) => `rollcall: ${problem}`),
      typed.command === null
        ? "rollcall --help lists the commands"
        : `usage: ${usageOf(typed.command)}; rollcall ${typed.command.name} --help tells more`,
    ]);
    return EXIT.usage;
  }
  const { command, args: given, flags, options } = typed;
  const { config, problems } = readConfig({ flags: options, env: process.env, readFile });
  if (command.needsConfig && problems.length > 0) {
    complain(problems.map((problem) => `rollcall: ${problem}`));
    return EXIT.config;
  }
  return command.run({
    config,
    args: given,
    flags,
    env: process.env,
    log: createLogger({
      level: config["log-level"],
      format: config["log-format"],
      // What a command prints is for a file or a pipe; only the daemon has nothing else to say than its log.
      ...(command.isDaemon === true ? {} : { destination: { write: toStandardError } }),
    }),
    print,
    signal: endSignal(),
    kill: (pid, signal) => void process.kill(pid, signal),
    nodeVersion: process.versions.node,
  });
}

/** Reads to the end, since it may be a pipe, but not for ever: it may be a device, or the wrong file. */
function readFile(path: string): string | null {
  if (!existsSync(path)) return null;
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(MAX_CONFIG_BYTES + 1);
    let size = 0;
    for (let read = -1; read !== 0; size += read)
      read = readSync(file, bytes, size, bytes.length - size, null);
    if (size > MAX_CONFIG_BYTES) throw new Error(`${path}: larger than ${MAX_CONFIG_BYTES / 1024} KiB`);
    return bytes.toString("utf8", 0, size);
  } finally {
    closeSync(file);
  }
}

/** Aborts on the first SIGTERM or SIGINT; a second one, or too long a wait, ends the process at once. */
function endSignal(): AbortSignal {
  const controller = new AbortController();
  const end = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.failed);
    controller.abort();
    setTimeout(() => process.exit(EXIT.good), EXIT_AFTER_MS).unref();
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  // Without a handler Node.js opens its debugger on SIGUSR1, the stop signal of HAProxy's image.
  process.on("SIGUSR1", end);
  // Meant for HAProxy, or sent by a terminal that is closed: no reason to end.
  process.on("SIGHUP", () => undefined);
  return controller.signal;
}

setTimeout(flushCompileCache, KEEP_COMPILED_MS).unref();
const exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  complain([`rollcall: ${messageOf(error)}`]);
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
});
// A reader at the other end of a pipe may be slow; leaving at once would cut what it has not read yet.
process.stdout.write("", () => process.exit(exitCode));
