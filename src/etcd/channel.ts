import type { Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import type { EtcdMethod } from "./protocol.ts";

/** Conditions of one call. A call rejects with a gRPC error (`code`, `details`), also when `signal` aborts it. */
export interface EtcdCallOptions {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly token?: string | undefined;
}

export interface EtcdTls {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}

/** Both directions of one call that is a stream. */
export type EtcdStream<Q, A> = grpc.ClientDuplexStream<Q, A>;

/** One channel to one member; it never turns to another one. */
export interface EtcdChannel {
  /** One question, one answer. */
  unary<Q, A>(method: EtcdMethod<Q, A>, request: Q, options: EtcdCallOptions): Promise<A>;
  /** @param timeoutMs after which the stream is ended; none = it may stay. */
  stream<Q, A>(
    method: EtcdMethod<Q, A>,
    options: { token: string | undefined; timeoutMs?: number },
  ): EtcdStream<Q, A>;
  close(): void;
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

/**
 * Opens a channel; nothing is sent yet.
 * @throws Error when the certificate and the key do not fit each other, or are none.
 */
export function openChannel({ host, tls }: { host: string; tls: EtcdTls | null }): EtcdChannel {
  const credentials =
    tls === null ? grpc.credentials.createInsecure() : grpc.credentials.createSsl(tls.ca, tls.key, tls.cert);
  const sockets = keepSockets(credentials);
  const client = new grpc.Client(host, credentials, CHANNEL_OPTIONS);
  return {
    unary: (method, request, options) => unary(client, method, request, options),
    stream: ({ path, requestSerialize, responseDeserialize }, { token, timeoutMs }) => {
      const conditions = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
      const metadata = metadataOf(token);
      return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata, conditions);
    },
    close: () => {
      client.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function unary<Q, A>(
  client: grpc.Client,
  { path, requestSerialize, responseDeserialize }: EtcdMethod<Q, A>,
  request: Q,
  { signal, timeoutMs, token }: EtcdCallOptions,
): Promise<A> {
  return new Promise((resolve, reject) => {
    const [metadata, conditions] = [metadataOf(token), { deadline: Date.now() + timeoutMs }];
    const done = (error: grpc.ServiceError | null, answer?: A): void => {
      signal.removeEventListener("abort", cancel);
      if (error === null && answer !== undefined) resolve(answer);
      else reject(error ?? new Error("etcd sent no answer"));
    };
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
