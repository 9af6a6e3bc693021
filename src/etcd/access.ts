/** How to reach etcd. Files are read at each connect, so that what rotates them needs no restart. */
export interface EtcdAccess {
  /** `http://HOST:PORT` or `https://HOST:PORT`, each a member of one cluster. */
  readonly endpoints: readonly string[];
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
  /** PEM files. `caFile` replaces the system's authorities; `certFile` and `keyFile` belong together. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}
