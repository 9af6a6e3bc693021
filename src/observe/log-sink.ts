import { writeSync } from "node:fs";

/** Takes finished lines of the log. It never throws: a broken log must not stop what is logged. */
export interface LogSink {
  /** Returns whether the line was taken. */
  write(line: string): boolean;
}

const STDOUT = 1;
const STDERR = 2;
/** A full pipe is waited for this long, in milliseconds, before its line is given up. */
const PATIENCE_MS = 50;
const NAP_MS = 5;

/**
 * Writes to standard output, at once, so that the last line before a death is not lost. When that is broken (its
 * reader died, its disk is full) lines go to standard error instead, or are dropped when that is broken too; standard
 * output is tried again with every line.
 *
 * A pipe that is full though its reader lives costs a short wait once and then lines, never the process; this holds
 * only for a pipe that does not block. On one that blocks, which is the usual kind, the kernel lets us wait.
 */
export function standardSink(): LogSink {
  const [first, second] = [fdSink(STDOUT), fdSink(STDERR)];
  return {
    write: (line) => {
      const written = first(line);
      return written === "broken" ? second(line) === "taken" : written === "taken";
    },
  };
}

type Written = "taken" | "full" | "broken";

function fdSink(fd: number): (line: string) => Written {
  /** Whether the last line was given up in its middle: the next one has to begin on a new line. */
  let torn = false;
  let last: Written = "taken";
  return (line) => {
    const bytes = Buffer.from(torn ? `\n${line}` : line);
    const { written, end } = writeAll(fd, { bytes, patienceMs: last === "full" ? 0 : PATIENCE_MS });
    last = end;
    if (written > 0) torn = end !== "taken";
    return end;
  };
}

function writeAll(
  fd: number,
  given: { bytes: Buffer; patienceMs: number },
): { written: number; end: Written } {
  const { bytes } = given;
  let { patienceMs } = given;
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return { written, end: "broken" };
      if (patienceMs <= 0) return { written, end: "full" };
      patienceMs -= NAP_MS;
      nap();
    }
  }
  return { written, end: "taken" };
}

/** Blocks the thread, since a line has to be written before the next thing happens. */
function nap(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, NAP_MS);
}
