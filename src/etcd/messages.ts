/*
 * Messages of etcd's API, reduced to the fields that are used here. 64-bit numbers are decimal text, since a number of
 * JavaScript could not hold them.
 */

export interface EtcdHeader {
  readonly revision: string;
  /** Another one = another cluster: the store was made anew, or restored from a backup. */
  readonly cluster_id: string;
}

export interface EtcdKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly mod_revision: string;
  /** The lease that the key goes with; "0" = none. */
  readonly lease: string;
}

export interface EtcdRangeRequest {
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly limit?: number;
  readonly revision?: string;
  readonly count_only?: boolean;
}

export interface EtcdRangeAnswer {
  readonly header: EtcdHeader;
  readonly kvs: readonly EtcdKeyValue[];
  readonly more: boolean;
  readonly count: string;
}

/**
 * One condition of a transaction: the key's last write, "0" = there is no such key. The two words are spelled as in the
 * description of the protocol that etcd3 brings; any other spelling is sent as if the field were not there, and would
 * compare the number of writes.
 */
export interface EtcdCompare {
  readonly key: Buffer;
  readonly target: "Mod";
  readonly result: "Equal";
  readonly mod_revision: string;
}

/** One write of a transaction. */
export type EtcdOperation =
  | { readonly request_put: { readonly key: Buffer; readonly value: Buffer; readonly lease: string } }
  | { readonly request_delete_range: { readonly key: Buffer } };

/** At most 128 operations, unless etcd is told otherwise (`--max-txn-ops`); no key may be written twice. */
export interface EtcdTxnRequest {
  readonly compare: readonly EtcdCompare[];
  readonly success: readonly EtcdOperation[];
}

export interface EtcdTxnAnswer {
  readonly header: EtcdHeader;
  readonly succeeded: boolean;
}

/** A lease as etcd tells of it. `TTL`: seconds that are left; 0 or less = there is none such any more. */
export interface EtcdLease {
  readonly header: EtcdHeader;
  readonly ID: string;
  readonly TTL: string;
}

export interface EtcdStatus {
  readonly header: EtcdHeader;
  readonly version: string;
  /** Id of the member that leads; "0" = none. */
  readonly leader: string;
}

export interface EtcdWatchRequest {
  readonly create_request: {
    readonly key: Buffer;
    readonly range_end: Buffer;
    readonly start_revision: string;
    readonly fragment: true;
  };
}

export interface EtcdWatchAnswer {
  readonly watch_id: string;
  readonly created: boolean;
  readonly canceled: boolean;
  /** The oldest revision that is left, when a watch wanted an older one; else "0". */
  readonly compact_revision: string;
  readonly cancel_reason: string;
  /** More of the same events follow in the next message of this watch. */
  readonly fragment: boolean;
  readonly events: readonly { readonly type: "Put" | "Delete"; readonly kv: EtcdKeyValue }[];
}
