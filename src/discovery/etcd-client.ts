import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type PackageDefinition } from "@grpc/proto-loader";

/** One message of etcd's API, reduced to the fields that are read here. 64-bit numbers are decimal text. */
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
    return etcdClient(api, new grpc.Client(host, credentials, CHANNEL_OPTIONS));
  };
}

function etcdClient(api: PackageDefinition, client: grpc.Client): EtcdClient {
  const call = unaryCaller(client);
  const range = method<EtcdRangeRequest, EtcdRangeAnswer>(api, "KV", "Range");
  const status = method<object, EtcdStatus>(api, "Maintenance", "Status");
  const authenticate = method<object, { token: string }>(api, "Auth", "Authenticate");
  const watch = method<EtcdWatchRequest, EtcdWatchAnswer>(api, "Watch", "Watch");
  return {
    range: (request, options) => call(range, request, options),
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
    close: () => client.close(),
  };
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
