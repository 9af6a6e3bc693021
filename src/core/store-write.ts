/** What a key must be for a write to happen: last written at that revision, "0" = not there. */
export interface Expectation {
  readonly key: string;
  readonly modRevision: string;
}

/** One write of a transaction. `lease` "0" = a key that stays. */
export type Write =
  | { readonly kind: "put"; readonly key: string; readonly value: string; readonly lease: string }
  | { readonly kind: "delete"; readonly key: string };

/** Writes that happen together, and only if all is as expected. */
export interface Commit {
  readonly expects: readonly Expectation[];
  readonly writes: readonly Write[];
}

/** No such key. */
export const ABSENT = "0";
/** No lease. */
export const NO_LEASE = "0";
