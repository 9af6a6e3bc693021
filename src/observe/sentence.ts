/** No more of one sentence than somebody reads; HAProxy may complain of each of ten thousand lines. */
const MAX_LENGTH = 1000;

/** On one line, without control characters, and with its full stop. */
export function sentence(text: string): string {
  const line = text
    .replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, " ")
    .trim()
    .replace(/\.+$/, "");
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : `${line}.`;
}
