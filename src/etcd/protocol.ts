import { fileURLToPath } from "node:url";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import type {
  EtcdLease,
  EtcdRangeAnswer,
  EtcdRangeRequest,
  EtcdStatus,
  EtcdTxnAnswer,
  EtcdTxnRequest,
  EtcdWatchAnswer,
  EtcdWatchRequest,
} from "./messages.ts";

/** A method of etcd's API: its path, and how its messages become bytes and back. */
export type EtcdMethod<Q, A> = MethodDefinition<Q, A>;

export interface EtcdProtocol {
  readonly range: EtcdMethod<EtcdRangeRequest, EtcdRangeAnswer>;
  readonly txn: EtcdMethod<EtcdTxnRequest, EtcdTxnAnswer>;
  readonly watch: EtcdMethod<EtcdWatchRequest, EtcdWatchAnswer>;
  readonly leaseGrant: EtcdMethod<{ TTL: string; ID: string }, EtcdLease>;
  readonly leaseRevoke: EtcdMethod<{ ID: string }, object>;
  readonly leaseKeepAlive: EtcdMethod<{ ID: string }, EtcdLease>;
  readonly status: EtcdMethod<object, EtcdStatus>;
  readonly authenticate: EtcdMethod<{ name: string; password: string }, { token: string }>;
}

/** Reads etcd's protocol description, which the package etcd3 brings. */
export function etcdProtocol(): EtcdProtocol {
  const file = fileURLToPath(import.meta.resolve("etcd3/proto/rpc.proto"));
  const api = loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true });
  const method = <Q, A>(service: string, name: string): EtcdMethod<Q, A> => {
    const found = api[`etcdserverpb.${service}`] as Readonly<Record<string, EtcdMethod<Q, A>>> | undefined;
    const definition = found?.[name];
    if (definition === undefined) throw new Error(`etcd's protocol description has no ${service}.${name}`);
    return definition;
  };
  return {
    range: method("KV", "Range"),
    txn: method("KV", "Txn"),
    watch: method("Watch", "Watch"),
    leaseGrant: method("Lease", "LeaseGrant"),
    leaseRevoke: method("Lease", "LeaseRevoke"),
    leaseKeepAlive: method("Lease", "LeaseKeepAlive"),
    status: method("Maintenance", "Status"),
    authenticate: method("Auth", "Authenticate"),
  };
}
