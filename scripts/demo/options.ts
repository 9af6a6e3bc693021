import { parseArgs } from "node:util";

export interface DemoOptions {
  /** End after the last step instead of staying up. */
  readonly once: boolean;
  readonly help: boolean;
}

export const HELP = `npm run demo [-- --once]

Shows Rollcall at work on this machine, on 127.0.0.1 and free ports only: starts etcd, HAProxy, three small
web servers and Rollcall, registers the servers, takes one away, adds one, and tells how long each change took
to reach traffic. What is missing is unpacked from Debian's packages into .lab, which git ignores; nothing is
installed and no root is needed. With a Docker engine that runs already it also shows a container that
registers itself.

Stays up until Ctrl-C, which ends everything that was started.

  --once    end after the last step; exit code 0 when every step was seen to work, 1 when not
  --help    this text`;

/** Reads the arguments; text says what is wrong with them. */
export function readOptions(args: readonly string[]): DemoOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    return { once: values.once ?? false, help: values.help ?? false };
  } catch (error) {
    return `${(error as Error).message}; npm run demo -- --help tells what there is`;
  }
}
