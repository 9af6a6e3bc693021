import { quote } from "./address.ts";
import type { Container } from "./container.ts";

/** Labels and variables are anybody's: their number and their size must not matter. */
export const FOREIGN_LIMITS = { words: 64, nameLength: 128, valueLength: 2048, warnings: 8 };

const NGINX_PROXY = new Set([
  "VIRTUAL_HOST",
  "VIRTUAL_HOST_MULTIPORTS",
  "VIRTUAL_PORT",
  "VIRTUAL_PATH",
  "VIRTUAL_PROTO",
  "VIRTUAL_DEST",
  "NETWORK_ACCESS",
]);

export const isRegistratorWord = (name: string): boolean => name.startsWith("SERVICE_");
export const isNginxProxyWord = (name: string): boolean => NGINX_PROXY.has(name);

/**
 * A container's variables and labels of one tool, by name; a label goes before the variable of that name, and an empty
 * text says nothing. What is too much is left out with a warning.
 */
export function foreignWords(
  container: Container,
  isWord: (name: string) => boolean,
): { readonly words: ReadonlyMap<string, string>; readonly warnings: readonly string[] } {
  const words = new Map<string, string>();
  const warnings: string[] = [];
  for (const [name, value] of [...(container.variables ?? []), ...container.labels]) {
    if (!isWord(name)) continue;
    words.delete(name);
    if (value === "") continue;
    if (name.length > FOREIGN_LIMITS.nameLength) warnings.push(`${quote(name)} is too long a name`);
    else if (value.length > FOREIGN_LIMITS.valueLength)
      warnings.push(`${quote(name)} is longer than ${FOREIGN_LIMITS.valueLength} characters`);
    else if (words.size === FOREIGN_LIMITS.words)
      warnings.push(`${quote(name)} is more than ${FOREIGN_LIMITS.words} of its kind`);
    else words.set(name, value);
  }
  return { words, warnings };
}
