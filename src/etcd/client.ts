import { openChannel, type EtcdCallOptions, type EtcdTls } from "./channel.ts";
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
import { etcdProtocol } from "./protocol.ts";
import { askOnce, listen } from "./streams.ts";

/** What etcd can be asked, over one channel to one member. */
export interface EtcdClient {
  status(options: EtcdCallOptions): Promise<EtcdStatus>;
  authenticate(
    user: { name: string; password: string },
    options: EtcdCallOptions,
  ): Promise<{ token: string }>;
  range(request: EtcdRangeRequest, options: EtcdCallOptions): Promise<EtcdRangeAnswer>;
  txn(request: EtcdTxnRequest, options: EtcdCallOptions): Promise<EtcdTxnAnswer>;
  /** @param ttl seconds; etcd gives no less than its own least, which is some three election timeouts. */
  leaseGrant(ttl: number, options: EtcdCallOptions): Promise<EtcdLease>;
  /**
   * Refreshes a lease once. A lease that is gone is answered with a TTL of 0, not with an error. etcd asks for no login
   * here: a token that went stale is not noticed.
   */
  leaseKeepAlive(id: string, options: EtcdCallOptions): Promise<EtcdLease>;
  /** Ends a lease, and with it all of its keys; the user must be allowed to write each of them. */
  leaseRevoke(id: string, options: EtcdCallOptions): Promise<void>;
  /** Opens one stream with a watch for each request. It ends only by rejecting: broken, ended, or aborted. */
  watch(
    requests: readonly EtcdWatchRequest[],
    onAnswer: (answer: EtcdWatchAnswer) => void,
    options: Omit<EtcdCallOptions, "timeoutMs">,
  ): Promise<never>;
  close(): void;
}

export type EtcdConnect = (target: { host: string; tls: EtcdTls | null }) => EtcdClient;

/** Reads etcd's protocol description and returns the way to connect. Connecting sends nothing yet. */
export function etcdConnect(): EtcdConnect {
  const protocol = etcdProtocol();
  return (target) => {
    const channel = openChannel(target);
    return {
      range: (request, options) => channel.unary(protocol.range, request, options),
      txn: (request, options) => channel.unary(protocol.txn, request, options),
      status: (options) => channel.unary(protocol.status, {}, options),
      authenticate: (user, options) => channel.unary(protocol.authenticate, user, options),
      leaseGrant: (ttl, options) =>
        channel.unary(protocol.leaseGrant, { TTL: String(ttl), ID: "0" }, options),
      leaseRevoke: async (id, options) =>
        void (await channel.unary(protocol.leaseRevoke, { ID: id }, options)),
      leaseKeepAlive: (id, { signal, token, timeoutMs }) =>
        askOnce(channel.stream(protocol.leaseKeepAlive, { token, timeoutMs }), { ID: id }, signal),
      watch: (requests, onAnswer, { signal, token }) =>
        listen(channel.stream(protocol.watch, { token }), { requests, onAnswer, signal }),
      close: channel.close,
    };
  };
}
