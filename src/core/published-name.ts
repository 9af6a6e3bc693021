import { extendName } from "./container-name.ts";

/** Of a host's name within a server's: half of what a name may have, so that of both something is left. */
const MAX_HOST = 31;

/**
 * The name under which a server is published: the one it asks for, else the first that is not taken of `NAME-HOST` and
 * `NAME-ID` with the first six digits of its container's id; null = all three are.
 */
export function freeName(options: {
  name: string;
  /** A valid name, as `fitName` makes it. */
  host: string;
  /** The container's id, or its first twelve digits. */
  container: string;
  isTaken: (name: string) => boolean;
}): string | null {
  return possibleNames(options).find((candidate) => !options.isTaken(candidate)) ?? null;
}

/** Every name that `freeName` may choose, in its order. */
export function possibleNames(given: { name: string; host: string; container: string }): readonly string[] {
  const { name, host, container } = given;
  return [name, extendName(name, host.slice(0, MAX_HOST)), extendName(name, container.slice(0, 6))];
}

/** `HOST-NAME`; where that is too long the host is cut first, then the name. */
export function hostedName(host: string, name: string): string {
  const kept = name.slice(0, 62 - Math.min(host.length, MAX_HOST));
  return extendName(host, kept);
}
