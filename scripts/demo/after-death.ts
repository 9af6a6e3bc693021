import { spawn } from "node:child_process";

/**
 * Runs a command when this process has ended without calling `cancel`, be it by SIGKILL. A shell waits for the end of a
 * pipe that only this process holds; the command runs twice, a second apart, since what is being ended may still
 * be at work the first time.
 */
export function afterDeath(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { cancel(): void } {
  const script = 'cat > /dev/null; "$@"; sleep 1; "$@"';
  const shell = spawn("sh", ["-c", script, "sh", ...command], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...process.env, ...env },
    // In a session of its own: Ctrl-C on a terminal reaches all processes of the terminal's.
    detached: true,
  });
  shell.on("error", () => undefined); // Without a shell this machine has other problems.
  shell.unref();
  return { cancel: () => void shell.kill("SIGKILL") };
}
