import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type PackageDefinition } from "@grpc/proto-loader";
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

/** Conditions of one call. A call rejects with a gRPC error (`code`, `details`), also when `signal` aborts it. */
export interface EtcdCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly token?: string | undefined;
}

/** One channel to one member; it never turns to another one. */
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
  /** Refreshes a lease once. A lease that is gone is answered with a TTL of 0, not with an error. */
  leaseKeepAlive(id: string, options: EtcdCallOptions): Promise<EtcdLease>;
  /** Ends a lease, and with it all of its keys. */
  leaseRevoke(id: string, options: EtcdCallOptions): Promise<void>;
  /** Opens one stream with a watch for each request. It ends only by rejecting: broken, ended, or aborted. */
  watch(
    requests: readonly EtcdWatchRequest[],
    onAnswer: (answer: EtcdWatchAnswer) => void,
    options: Omit<EtcdCallOptions, "timeoutMs">,
  ): Promise<never>;
  close(): void;
}

export interface EtcdTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}

/**
 * - keepalive: notices a silent peer after 13 s. Below 5 s etcd ends the connection (`--grpc-keepalive-min-time`).
 * - retries, service config: a failure must reach us, not be hidden.
 * - own subchannel pool: a new channel gets a new connection, never the half-dead one of its predecessor.
 * - message size: larger than any that etcd sends for one page or one fragment of ordinary values, yet bounded.
 */
const CHANNEL_OPTIONS: grpc.ClientOptions = {
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 3_000,
  "grpc.max_receive_message_length": 64 * 1024 * 1024,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
};

export type EtcdConnect = (target: { host: string; tls: EtcdTls | null }) => EtcdClient;

/** Reads etcd's protocol description and returns the way to connect. Connecting sends nothing yet. */
export function etcdConnect(): EtcdConnect {
  const file = fileURLToPath(import.meta.resolve("etcd3/proto/rpc.proto"));
  const api = loadSync(file, { keepCase: true, longs: String, enums: String, defaults: true });
  return ({ host, tls }) => {
    const credentials =
      tls === null
        ? grpc.credentials.createInsecure()
        : grpc.credentials.createSsl(tls.ca, tls.key, tls.cert);
    const sockets = keepSockets(credentials);
    const client = new grpc.Client(host, credentials, CHANNEL_OPTIONS);
    return {
      ...etcdCalls(api, client),
      close: () => {
        client.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  };
}

/**
 * The sockets of the channels that are opened with `credentials`. grpc-js forgets a socket when its channel is closed
 * before the peer has said a word (`Http2SubchannelConnector.connect`): each attempt to reach a stopped host would
 * leave one behind for ever.
 */
function keepSockets(credentials: grpc.ChannelCredentials): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  /* oxlint-disable no-underscore-dangle -- grpc-js has no other way to its sockets. */
  const create = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...given) => {
    /* oxlint-enable no-underscore-dangle */
    const connector = create(...given);
    return {
      connect: (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        return connector.connect(socket);
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  };
  return sockets;
}

function etcdCalls(api: PackageDefinition, client: grpc.Client): Omit<EtcdClient, "close"> {
  const call = unaryCaller(client);
  const range = method<EtcdRangeRequest, EtcdRangeAnswer>(api, "KV", "Range");
  const status = method<object, EtcdStatus>(api, "Maintenance", "Status");
  const txn = method<EtcdTxnRequest, EtcdTxnAnswer>(api, "KV", "Txn");
  const leaseGrant = method<object, EtcdLease>(api, "Lease", "LeaseGrant");
  const leaseRevoke = method<object, object>(api, "Lease", "LeaseRevoke");
  const leaseKeepAlive = method<object, EtcdLease>(api, "Lease", "LeaseKeepAlive");
  const authenticate = method<object, { token: string }>(api, "Auth", "Authenticate");
  const watch = method<EtcdWatchRequest, EtcdWatchAnswer>(api, "Watch", "Watch");
  return {
    range: (request, options) => call(range, request, options),
    txn: (request, options) => call(txn, request, options),
    leaseGrant: (ttl, options) => call(leaseGrant, { TTL: String(ttl), ID: "0" }, options),
    leaseRevoke: async (id, options) => void (await call(leaseRevoke, { ID: id }, options)),
    leaseKeepAlive: (id, options) => onceOverStream(client, leaseKeepAlive)({ ID: id }, options),
    status: (options) => call(status, {}, options),
    authenticate: (user, options) => call(authenticate, user, options),
    watch: (requests, onAnswer, options) =>
      new Promise<never>((_, reject) => {
        const { path, requestSerialize, responseDeserialize } = watch;
        const metadata = metadataOf(options.token);
        const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
        const fail = (error: Error): void => {
          options.signal.removeEventListener("abort", cancel);
          stream.off("data", receive);
          stream.cancel();
          reject(error);
        };
        const cancel = (): void => fail(new Error("aborted"));
        // What is thrown inside of a gRPC listener wedges the whole client.
        const receive = (answer: EtcdWatchAnswer): void => {
          try {
            onAnswer(answer);
          } catch (thrown) {
            fail(thrown instanceof Error ? thrown : new Error(String(thrown)));
          }
        };
        // "error" and "end" both come, and "error" once more after cancel(): the listeners have to stay.
        stream.on("error", fail);
        stream.on("end", () => fail(new Error("the watch ended")));
        stream.on("data", receive);
        if (options.signal.aborted) return cancel();
        options.signal.addEventListener("abort", cancel, { once: true });
        for (const request of requests) stream.write(request);
      }),
  };
}

/** One question and one answer over a method that is a stream in both directions. */
function onceOverStream<Q, A>(client: grpc.Client, what: MethodDefinition<Q, A>) {
  return (request: Q, { signal, timeoutMs, token }: EtcdCallOptions): Promise<A> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = what;
      const stream = client.makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadataOf(token),
        { deadline: Date.now() + timeoutMs },
      );
      const settle = (action: () => void): void => {
        signal.removeEventListener("abort", cancel);
        action();
        stream.cancel();
      };
      const cancel = (): void => settle(() => reject(new Error("aborted")));
      // "error" comes once more after cancel(): the listener has to stay.
      stream.on("error", (error: Error) => settle(() => reject(error)));
      stream.on("end", () => settle(() => reject(new Error("etcd sent no answer"))));
      stream.on("data", (answer: A) => settle(() => resolve(answer)));
      if (signal.aborted) return cancel();
      signal.addEventListener("abort", cancel, { once: true });
      stream.write(request);
    });
}

function method<Q, A>(api: PackageDefinition, service: string, name: string): MethodDefinition<Q, A> {
  const found = api[`etcdserverpb.${service}`] as
    Readonly<Record<string, MethodDefinition<Q, A>>> | undefined;
  const definition = found?.[name];
  if (definition === undefined) throw new Error(`etcd's protocol description has no ${service}.${name}`);
  return definition;
}

type UnaryCall = <Q, A>(what: MethodDefinition<Q, A>, request: Q, options: EtcdCallOptions) => Promise<A>;

function unaryCaller(client: grpc.Client): UnaryCall {
  return (what, request, { signal, timeoutMs, token }) =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = what;
      const deadline = Date.now() + timeoutMs;
      const done = (error: grpc.ServiceError | null, answer?: Parameters<typeof resolve>[0]): void => {
        signal.removeEventListener("abort", cancel);
        if (error === null && answer !== undefined) resolve(answer);
        else reject(error ?? new Error("etcd sent no answer"));
      };
      const [metadata, conditions] = [metadataOf(token), { deadline }];
      const pending = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        conditions,
        done,
      );
      const cancel = (): void => pending.cancel();
      signal.addEventListener("abort", cancel, { once: true });
      if (signal.aborted) cancel();
    });
}

/** `hasleader`: a member that has lost its cluster says so instead of staying silent for ever. */
function metadataOf(token: string | undefined): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("hasleader", "true");
  if (token !== undefined) metadata.set("token", token);
  return metadata;
}
