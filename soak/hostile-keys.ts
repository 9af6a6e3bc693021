/** Stands in each of them, and must never be seen in a configuration. */
export const MARK = "SOAKMARK";

const at = "127.0.0.1:9";
const name = (text: string): readonly [string, string] => [`/app/servers/${MARK}${text}`, at];
const value = (text: string, number: number): readonly [string, string] => [
  `/app/servers/${MARK}-${number}`,
  text,
];

/** Keys and values that are refused, all of which would be lines, words or servers if they were not. */
export const HOSTILE_KEYS: readonly (readonly [string, string])[] = [
  ...[" x", "\n    server evil 127.0.0.1:9", "/a/b/c", '"', "#", "$HOME", "é", "\u0000", "x".repeat(80)].map(
    name,
  ),
  ...[
    "",
    "127.0.0.1",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    `${at} weight=257`,
    `${at} backup lua-load=/tmp/x`,
    `${at}\n    http-request deny`,
    `${at} #`,
    `"$HOME":80`,
    `{"address":"${at}`,
    `{"address":"${at}","weight":"1\\n"}`,
    `{"address":"${at}","check":{"path":"/ HTTP/1.1\\r\\nHost: x"}}`,
    `${at} ${"x".repeat(200_000)}`,
  ].map(value),
  [`/app/overrides/webserver/${MARK}`, "drain\nmaint"],
  [`/app/overrides/webserver/${MARK} x`, "drain"],
];
