import type { Result } from "../core/result.ts";
import type { Logger } from "../lib/logger.ts";
import type { Config } from "../options.ts";

/** What a command gets from the process; it touches nothing else of it. */
export interface Context {
  readonly config: Config;
  /** The command's own flags that were given; a switch has the value "true". */
  readonly flags: ReadonlyMap<string, string>;
  /** What stands behind the command's name, as its `arguments` say; as many as are required are there. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Writes to standard output. */
  readonly print: (text: string) => void;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** `process.kill`; 0 only asks whether the process may be signalled. */
  readonly kill: (pid: number, signal: NodeJS.Signals | 0) => void;
  /** Such as `24.21.0`. */
  readonly nodeVersion: string;
}

/** A flag that only one command has. */
export interface Flag {
  /** What stands after it in the help; null = a switch. */
  readonly value: string | null;
  readonly help: string;
  /** Says what is wrong with a value; any will do when it is not given. */
  readonly parse?: (value: string) => Result<unknown>;
}

/** What may stand behind a command's name. */
export interface Argument {
  /** As it stands in the help: `SERVER`. */
  readonly name: string;
  readonly help: string;
  /** `optional` and `repeated` (none, one or more) come last. */
  readonly count: "one" | "optional" | "repeated";
  /** Says what is wrong with it; anything will do when it is not given. */
  readonly parse?: (value: string) => Result<unknown>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What it does, for `--help`. */
  readonly description: string;
  /** None when not given. */
  readonly arguments?: readonly Argument[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Lines of a shell, each a whole command. */
  readonly examples: readonly string[];
  /** False for a command that needs no valid configuration. */
  readonly needsConfig: boolean;
  /** True for a command that runs until it is told to end, and has nothing to print but its log. */
  readonly isDaemon?: boolean;
  /** Resolves to the exit code. */
  run(context: Context): Promise<number>;
}

/** A command cannot do what it was asked to: the message for standard error, and the exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Exit codes, the same for all commands (64 and 78 as in sysexits.h). */
export const EXIT = { good: 0, failed: 1, differs: 2, usage: 64, config: 78 } as const;
