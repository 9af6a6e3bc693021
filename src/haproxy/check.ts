import { execa } from "execa";
import { HaproxyError } from "./haproxy-error.ts";

/** A name server that does not answer holds the check for 20 s a name; a file of 50,000 servers takes 2.6 45 s. */
const CHECK_TIMEOUT_MS = 120_000;

/**
 * Runs `haproxy -c` on a file. The exit code must be 0: HAProxy uses 2 for "nothing to run".
 * @throws HaproxyError `refused` with HAProxy's own alerts, `failed` when the check could not be made.
 */
export async function checkConfig(options: {
  binary: string;
  file: string;
  signal?: AbortSignal;
}): Promise<void> {
  const { binary, file, signal } = options;
  const result = await execa(binary, ["-c", "-f", file], {
    all: true,
    reject: false,
    stdin: "ignore",
    timeout: CHECK_TIMEOUT_MS,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  if (result.exitCode === 0) return;
  if (result.exitCode === undefined) {
    const what = result.timedOut
      ? `did not end within ${CHECK_TIMEOUT_MS / 1000} s`
      : (result.originalMessage ?? "");
    throw new HaproxyError(`${binary} -c: ${what}`, { stage: "check", kind: "failed" });
  }
  throw new HaproxyError(alerts(result.all, file), { stage: "check", kind: "refused" });
}

/** HAProxy's alerts without their decoration; the candidate's name says nothing to an operator, its line does. */
function alerts(output: string, file: string): string {
  const lines = output
    .split("\n")
    .map((line) => /^\[ALERT\]\s+\([0-9]+\) : (?:config : )?(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
    .filter((line) => !/^(Error\(s\) found|Fatal errors found)/.test(line));
  const text = (lines.length > 0 ? lines : [output.trim()]).slice(0, 5).join("; ");
  return text.replaceAll(`[${file}:`, "[line ").replaceAll(file, "the candidate");
}

/**
 * The version of a HAProxy binary, such as `3.2.26`.
 * @throws HaproxyError `failed` when it cannot be run.
 */
export async function haproxyVersion(binary: string): Promise<string> {
  const result = await execa(binary, ["-v"], { reject: false, stdin: "ignore", timeout: 10_000 });
  const version = /HAProxy version ([0-9][^ -]*)/i.exec(result.stdout)?.[1];
  if (version !== undefined) return version;
  const reason = result.originalMessage ?? result.stdout.slice(0, 100);
  throw new HaproxyError(`${binary} -v: ${reason}`, { stage: "check", kind: "failed" });
}
