/**
 * How many words follow a keyword of a `server` line (manual, section 5.2). One that is not here leaves it open what
 * the words after it are, so nothing can be said of a line with it.
 */
export const SERVER_KEYWORDS: ReadonlyMap<string, number> = new Map([
  ...words(
    0,
    "check disabled backup send-proxy send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn ssl check-ssl",
    "check-send-proxy tfo agent-check allow-0rtt no-ssl-reuse no-tls-tickets no-verifyhost non-stick stick",
    "force-tlsv10 force-tlsv11 force-tlsv12 force-tlsv13 no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12 no-tlsv13",
  ),
  ...words(
    1,
    "inter fastinter downinter rise fall port addr weight maxconn minconn maxqueue slowstart verify sni alpn npn",
    "check-sni check-alpn check-proto observe error-limit on-error on-marked-down on-marked-up pool-max-conn",
    "pool-low-conn pool-purge-delay proto ws id cookie track resolvers init-addr init-state resolve-prefer",
    "resolve-opts resolve-net namespace redir ca-file ca-verify-file crl-file crt ciphers ciphersuites verifyhost",
    "agent-addr agent-inter agent-port agent-send proxy-v2-options ssl-max-ver ssl-min-ver tcp-ut socks4 guid",
    "log-proto max-reuse shard hash-key",
  ),
]);

/** Words that take back what `default-server` said. */
export const NEGATIONS: ReadonlyMap<string, string> = new Map([
  ["no-check", "check"],
  ["no-backup", "backup"],
  ["no-ssl", "ssl"],
  ["no-send-proxy", "send-proxy"],
  ["no-send-proxy-v2", "send-proxy-v2"],
  ["no-check-ssl", "check-ssl"],
  ["no-check-send-proxy", "check-send-proxy"],
  ["no-agent-check", "agent-check"],
  ["no-tfo", "tfo"],
  ["enabled", "disabled"],
]);

function words(count: number, ...lines: readonly string[]): readonly (readonly [string, number])[] {
  return lines.flatMap((line) => line.split(" ")).map((word) => [word, count] as const);
}
