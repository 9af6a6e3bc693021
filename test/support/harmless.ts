import type { Roster } from "../../src/core/roster.ts";
import { hostPort, type Server } from "../../src/core/server.ts";

/** A roster like another one, but of words that cannot do harm, and what each of its words stands for. */
export interface Harmless {
  readonly roster: Roster;
  /** The word of a configuration that was rendered from it, as it must stand in that of the other one. */
  original(word: string): string;
  backend(name: string): string;
}

/**
 * All texts of a roster replaced: what is rendered from both must differ in these words and in nothing else.
 * @param keepsBackends the names of backends stay, for a template that knows them.
 */
export function harmless(roster: Roster, { keepsBackends }: { keepsBackends: boolean }): Harmless {
  const originals = new Map<string, string>();
  const known = new Map<string, string>();
  let count = 0;
  /** @param made makes a word of a number. */
  const replace = (kind: string, text: string, made: (number: number) => string): string => {
    const found = known.get(`${kind} ${text}`);
    if (found !== undefined) return found;
    const word = made(++count);
    known.set(`${kind} ${text}`, word);
    originals.set(word, text);
    return word;
  };
  // In the order in which a template sees them, which has numbers first.
  const names = Object.keys(Object.fromEntries(roster.backends.map(({ name }) => [name, true])));
  const backend = (name: string): string =>
    keepsBackends ? name : replace("backend", name, () => `b${String(names.indexOf(name)).padStart(6, "0")}`);
  const path = (kind: string, text: string): string => {
    const whole = kind === "path" ? text.replace(/\/+$/, "") : text;
    if (whole === "") return "/";
    const word = replace(kind, whole, (number) => `/${kind}${number}`);
    originals.set(`${word}/`, `${whole}/`);
    return word;
  };
  const host = (text: string): string => {
    const [wildcard, rest] = text.startsWith("*.") ? ["*.", text.slice(2)] : ["", text];
    const word = replace("host", rest, (number) => `h${number}.example`);
    originals.set(`.${word}`, `.${rest}`);
    return `${wildcard}${word}`;
  };
  const quoted = (text: string): string => {
    const word = replace("quoted", text, (number) => `q${number}`);
    originals.set(`v${word}`, `v${text}`);
    return word;
  };
  const server = (given: Server): Server => {
    const isNamed = /[a-z]/i.test(given.address) && !given.address.includes(":");
    const address = replace("address", given.address, (number) =>
      isNamed ? `a${number}.example` : `10.1.${number >> 8}.${number & 255}`,
    );
    originals.set(hostPort({ address, port: given.port }), hostPort(given));
    const check = given.check === false ? false : { ...given.check };
    if (check !== false && check.path !== null) check.path = path("check", check.path);
    return {
      ...given,
      backend: backend(given.backend),
      // The one name that the template for users asks for.
      name: given.name === "leader" ? "leader" : replace("server", given.name, (number) => `s${number}`),
      address,
      check,
      tags: given.tags.map(quoted),
      meta: Object.fromEntries(Object.entries(given.meta).map(([key, text]) => [quoted(key), quoted(text)])),
      origin: { ...given.origin, id: quoted(given.origin.id) },
    };
  };
  const replaced = new Map(
    roster.backends.map(({ name, servers }) => [name, { name: backend(name), servers: servers.map(server) }]),
  );
  return {
    roster: {
      ...roster,
      backends: names.map((name) => replaced.get(name) ?? { name: "", servers: [] }),
      routes: roster.routes.map((route) => ({
        backend: backend(route.backend),
        host: route.host === null ? null : host(route.host),
        path: route.path === null ? null : path("path", route.path),
      })),
      keys: new Map(),
    },
    original: (word) => originals.get(word) ?? word,
    backend,
  };
}
