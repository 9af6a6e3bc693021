/** What the HAProxy that runs can be told over its socket, which differs by version. */
export interface Abilities {
  /** Keywords of a `server` line that `add server` takes. */
  readonly keywords: ReadonlySet<string>;
  /**
   * Words that a server of the file has without saying so, and one that is added has not, with `after` naming the word
   * without which they do not matter: on 2.6 its connections are not kept (measured: half the throughput), and what it
   * observes has no effect.
   */
  readonly missingDefaults: readonly MissingDefault[];
  /** Whether an added server that speaks HTTP/2 gets several requests on one connection; on 2.6 it does not. */
  readonly multiplexesAdded: boolean;
  /**
   * Whether no request goes to the old address once a server was given another one; 2.6 uses connections to the old
   * one again that were busy at that moment (measured).
   */
  readonly movesExactly: boolean;
  /**
   * Whether connections to a server in maintenance are closed that were busy when it was put there; on 2.6 they are not,
   * so that it cannot be deleted, until it is put there once more (measured).
   */
  readonly closesBusy: boolean;
  /** `init-state down`, from 3.1 on; before, a server is told to be down after it was enabled. */
  readonly hasInitState: boolean;
  /** Up to 3.0 a file takes time by the square of the servers of a backend. */
  readonly hasQuadraticParse: boolean;
}

interface MissingDefault {
  readonly words: readonly [string, string];
  readonly after: string | null;
}

const MISSING_DEFAULTS: readonly MissingDefault[] = [
  { words: ["pool-max-conn", "-1"], after: null },
  { words: ["pool-purge-delay", "5s"], after: null },
  { words: ["error-limit", "10"], after: "observe" },
  { words: ["on-error", "fail-check"], after: "observe" },
];

/** Taken by `add server` on every version; measured on 2.6, 3.0 and 3.2. */
const KEYWORDS = words(
  "check inter fastinter downinter rise fall port addr weight backup maxconn minconn maxqueue slowstart id",
  "send-proxy send-proxy-v2 send-proxy-v2-ssl send-proxy-v2-ssl-cn proxy-v2-options proto ws tfo",
  "ssl verify sni alpn npn check-ssl check-sni check-alpn check-send-proxy ciphers ciphersuites",
  "ssl-min-ver ssl-max-ver no-ssl-reuse no-tls-tickets allow-0rtt force-tlsv12 force-tlsv13",
  "observe error-limit on-error on-marked-down on-marked-up pool-max-conn pool-low-conn pool-purge-delay",
);
const KEYWORDS_3_0 = words("cookie guid hash-key shard");
const KEYWORDS_3_1 = words("init-state");

/** @param version as in `show info`: `3.2.26`, `2.6.12-1+deb12u1`; one that cannot be read counts as the oldest. */
export function abilitiesOf(version: string): Abilities {
  const [, major = "2", minor = "6"] = /^([0-9]+)\.([0-9]+)/.exec(version) ?? [];
  const number = Number(major) * 100 + Number(minor);
  return {
    keywords: new Set([
      ...KEYWORDS,
      ...(number >= 300 ? KEYWORDS_3_0 : []),
      ...(number >= 301 ? KEYWORDS_3_1 : []),
    ]),
    missingDefaults: number < 300 ? MISSING_DEFAULTS : [],
    multiplexesAdded: number >= 300,
    closesBusy: number >= 300,
    movesExactly: number >= 300,
    hasInitState: number >= 301,
    hasQuadraticParse: number <= 300,
  };
}

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(" "));
}
