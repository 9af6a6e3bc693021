const PARENT_CHECK_MS = 250;

/**
 * Aborts when the demo is to end: on SIGINT, SIGTERM or SIGHUP, when nobody reads its output any more, and, below npm,
 * when npm was killed. Further signals change nothing: a terminal and npm both send SIGINT for one Ctrl-C.
 */
export function endSignal(): AbortSignal {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  process.stdout.on("error", end);
  if (process.env["npm_lifecycle_event"] !== undefined) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && end(), PARENT_CHECK_MS).unref();
  }
  return controller.signal;
}
