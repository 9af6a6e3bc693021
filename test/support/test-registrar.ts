import { randomUUID } from "node:crypto";
import type { Publication } from "../../src/core/publication.ts";
import { isDrained } from "../../src/core/server-text.ts";
import { registrar, type Registrar } from "../../src/registration/registrar.ts";
import type { RegistrarOptions } from "../../src/registration/registrar-options.ts";
import { nullLogger } from "./null-logger.ts";

export const LAYOUT = {
  prefix: "/app/servers/",
  overridesPrefix: "/app/overrides/",
  ownersPrefix: "/app/owners/",
  defaultBackend: "webserver",
};

/** A server of the container `container`, which is cut or filled up to twelve digits. */
export function publication(
  container: string,
  name: string,
  value: string,
  backend = "webserver",
): Publication {
  const id = container.padEnd(12, "0").slice(0, 12);
  return { id: `${id} ${backend}/${name}`, container: id, backend, name, value, drained: isDrained(value) };
}

/** A registrar in this process, with pictures from the test instead of an engine. */
export interface TestRegistrar extends AsyncDisposable {
  readonly registrar: Registrar;
  readonly agent: string;
  /** The engine has these, and containers that ask for nothing. */
  want(publications: readonly Publication[], others?: readonly string[]): void;
  /** As SIGTERM does: it withdraws, or leaves. */
  end(): Promise<void>;
  /** As SIGKILL does: nothing more is written, the lease goes on until it ends. */
  crash(): Promise<void>;
}

export function startRegistrar(given: {
  endpoints: readonly string[];
  host?: string;
  options?: Partial<RegistrarOptions>;
}): TestRegistrar {
  const stop = new AbortController();
  const options: RegistrarOptions = {
    access: { endpoints: given.endpoints },
    layout: LAYOUT,
    host: given.host ?? "a",
    agent: randomUUID(),
    version: "0.0.0",
    leaseTtlS: 5,
    onExit: "withdraw",
    log: nullLogger,
    now: Date.now,
    ...given.options,
  };
  // `onExit` is asked at the end only.
  const live: { -readonly [K in keyof RegistrarOptions]: RegistrarOptions[K] } = { ...options };
  const made = registrar(live);
  const running = made.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return {
    registrar: made,
    agent: options.agent,
    want: (publications, others = []) =>
      made.want({
        publications,
        containers: new Set([
          ...publications.map(({ container }) => container),
          ...others.map((id) => id.padEnd(12, "0").slice(0, 12)),
        ]),
      }),
    end,
    crash: () => {
      live.onExit = "leave";
      return end();
    },
    [Symbol.asyncDispose]: async () => {
      live.onExit = "leave";
      await end();
    },
  };
}
