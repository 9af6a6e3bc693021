/*
 * Messages of etcd's API, reduced to the fields that are used here. 64-bit numbers are decimal text, since a number of
 * JavaScript could not hold them.
 */

export interface EtcdHeader {
  readonly revision: string;
}

export interface EtcdKeyValue {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly mod_revision: string;
}

export interface EtcdRangeRequest {
  readonly key: Buffer;
  readonly range_end: Buffer;
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

export interface EtcdStatus {
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
