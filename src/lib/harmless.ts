/** Also C1 controls (one of them begins a terminal's commands), line separators and marks that turn text round. */
const HARMFUL = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Text of anybody, fit for one line of a terminal: what steers it or turns text round is escaped as `\u001b`. */
export function harmless(text: string): string {
  return text.replaceAll(HARMFUL, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
