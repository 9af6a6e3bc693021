/** What the HAProxy that runs can be told over its socket, which differs by version. */
export interface Abilities {
  /** Keywords of a `server` line that `add server` takes. */
  readonly keywords: ReadonlySet<string>;
  /** 2.6 keeps no connections to servers that were added, unless their line says so (measured: half the throughput). */
  readonly needsPool: boolean;
  /**
   * Whether no request goes to the old address once a server was given another one; 2.6 uses connections to the old
   * one again that were busy at that moment (measured).
   */
  readonly movesExactly: boolean;
  /** `init-state down`, from 3.1 on; before, a server is told to be down after it was enabled. */
  readonly hasInitState: boolean;
  /** Up to 3.0 a file takes time by the square of the servers of a backend. */
  readonly hasQuadraticParse: boolean;
}

/** Taken by `add server` on every version; measured on 2.6, 3.0 and 3.2. */
const KEYWORDS = [
  ...["check", "inter", "fastinter", "downinter", "rise", "fall", "port", "addr", "weight", "disabled"],
  ...["backup", "maxconn", "minconn", "maxqueue", "slowstart", "send-proxy", "send-proxy-v2", "id"],
  ...["ssl", "verify", "sni", "alpn", "check-ssl", "check-sni", "check-alpn", "check-send-proxy"],
  ...["observe", "error-limit", "on-error", "on-marked-down", "on-marked-up", "proto", "ws", "tfo"],
  ...["pool-max-conn", "pool-low-conn", "pool-purge-delay"],
];
const KEYWORDS_3_0 = ["cookie"];

/** @param version as in `show info`: `3.2.26`, `2.6.12-1+deb12u1`; one that cannot be read counts as the oldest. */
export function abilitiesOf(version: string): Abilities {
  const [, major = "2", minor = "6"] = /^([0-9]+)\.([0-9]+)/.exec(version) ?? [];
  const number = Number(major) * 100 + Number(minor);
  return {
    keywords: new Set(number >= 300 ? [...KEYWORDS, ...KEYWORDS_3_0] : KEYWORDS),
    needsPool: number < 300,
    movesExactly: number >= 300,
    hasInitState: number >= 301,
    hasQuadraticParse: number <= 300,
  };
}
