import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

export interface ChildOptions {
  command: readonly [string, ...string[]];
  /** Receives stdout and stderr; appended to. */
  logFile: string;
  env?: Record<string, string>;
  cwd?: string;
  /** What the kernel sends the child when this process dies, in whatever way; "none" lets it outlive us. */
  whenParentDies?: "KILL" | "TERM" | "none";
}

/** A daemon that was started by us, with its output in a file. Also the way to stop, pause and watch it. */
export class Child {
  readonly pid: number;
  /** Resolves with the exit code, or with the name of the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #process: ChildProcess;
  readonly #logFile: string;

  /** @throws Error when the program cannot be started at all. */
  constructor(options: ChildOptions) {
    const fate = options.whenParentDies ?? "KILL";
    const [program, ...args] = options.command;
    // setpriv executes the program in its own place, so the pid and argv[0] are the program's.
    const bound = fate === "none" ? [] : ["--pdeathsig", fate, "--", program];
    const log = openSync(options.logFile, "a");
    this.#process = spawn(bound.length > 0 ? "setpriv" : program, [...bound, ...args], {
      stdio: ["ignore", log, log],
      detached: fate === "none",
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    closeSync(log);
    this.#logFile = options.logFile;
    this.exited = exitOf(this.#process);
    if (this.#process.pid === undefined) throw new Error(`Cannot start ${program}.`);
    this.pid = this.#process.pid;
    if (fate === "none") this.#process.unref();
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Sends a signal and does not wait. */
  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Sends a signal that ends the process, and resolves when it has ended. */
  async kill(name: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (!this.alive) return;
    this.signal(name);
    await this.exited;
  }

  /** Everything that the program has printed, from the first start with this log file on. */
  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }
}

async function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return code ?? signal ?? 0;
  } catch {
    return 127; // The program does not exist.
  }
}
