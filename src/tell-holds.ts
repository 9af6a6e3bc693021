import type { Ended, Held, HoldStep } from "./core/hold.ts";
import { hostPort } from "./core/server.ts";
import type { Logger } from "./lib/logger.ts";

/** More of a kind at once are only counted: a store that came back empty must not flood the log. */
const MAX_LINES = 20;

/** Logs for each server that vanished whether it is held, and for each that was held why it is no longer. */
export function tellHolds(log: Logger): (step: HoldStep, holdMs: number) => void {
  const each = <T>(all: readonly T[], tell: (one: T) => void, more: string): void => {
    for (const one of all.slice(0, MAX_LINES)) tell(one);
    if (all.length > MAX_LINES) log.warn({ count: all.length - MAX_LINES }, more);
  };
  return ({ begun, ended }, holdMs) => {
    const begin = (held: Held): void =>
      log.warn({ ...fieldsOf(held), why: held.vanished.why, holdMs }, "vanished, held while its check is UP");
    const end = ({ held, why }: Ended): void =>
      log.info({ ...fieldsOf(held), reason: why }, held.isUp ? "no longer held" : "vanished, not held");
    if (begun.length > 0) each(begun, begin, "more servers vanished and are held");
    if (ended.length > 0) each(ended, end, "more servers are not held any more");
  };
}

function fieldsOf({ server }: Held): Readonly<Record<string, unknown>> {
  const { backend, name, origin } = server;
  return {
    source: origin.source,
    entry: origin.id,
    server: `${backend}/${name}`,
    address: hostPort(server),
  };
}
