import { type RollcallProcess, startRollcall } from "../test/support/rollcall-process.ts";
import { sendSignal } from "../scripts/lab/processes.ts";

/** A daemon that is started again when it ends, as systemd and the image do it. */
export interface Supervised extends AsyncDisposable {
  readonly daemon: RollcallProcess;
  /** SIGKILL, and stays away until `start`. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Stops it in the middle of what it does, and lets it go on. */
  pause(): void;
  resume(): void;
}

const LOOK_MS = 500;

/** @param options.say is told when it ends though nobody has ended it. */
export async function superviseRollcall(options: {
  dir: string;
  options: Readonly<Record<string, string>>;
  say: (problem: string) => void;
}): Promise<Supervised> {
  const daemon = await startRollcall(options);
  let wanted = true;
  const look = setInterval(() => {
    if (!wanted || daemon.alive) return;
    options.say("Rollcall has ended by itself");
    void daemon.restart();
  }, LOOK_MS);
  return {
    daemon,
    kill: async () => {
      wanted = false;
      if (daemon.alive) await daemon.kill("SIGKILL");
    },
    start: async () => {
      await daemon.restart();
      wanted = true;
    },
    pause: () => sendSignal(daemon.pid, "SIGSTOP"),
    resume: () => sendSignal(daemon.pid, "SIGCONT"),
    [Symbol.asyncDispose]: async () => {
      clearInterval(look);
      await daemon[Symbol.asyncDispose]();
    },
  };
}
