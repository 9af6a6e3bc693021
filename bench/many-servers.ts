/** Number of a server in a name that sorts as the number does: s00042. */
export const nameOf = (index: number): string => `s${String(index).padStart(5, "0")}`;

/** An address of this machine where nobody listens: HAProxy must not check it. */
export const addressOf = (index: number): string =>
  `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}:9`;

/** That many keys below the prefix with the words behind each address, for `putMany`. */
export function manyServers(given: {
  prefix: string;
  servers: number;
  words: string;
}): readonly (readonly [key: string, value: string])[] {
  const { prefix, servers, words } = given;
  return Array.from({ length: servers }, (_, index) => [
    prefix + nameOf(index),
    `${addressOf(index)} ${words}`.trim(),
  ]);
}
