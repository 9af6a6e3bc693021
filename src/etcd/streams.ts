import type { EtcdStream } from "./channel.ts";

/** One question and one answer over `stream`, which ends with it. */
export function askOnce<Q, A>(stream: EtcdStream<Q, A>, request: Q, signal: AbortSignal): Promise<A> {
  return new Promise((resolve, reject) => {
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

/** Sends all `requests` and hands on what comes, until the stream breaks, ends or is aborted: it always rejects. */
export function listen<Q, A>(
  stream: EtcdStream<Q, A>,
  {
    requests,
    onAnswer,
    signal,
  }: {
    requests: readonly Q[];
    onAnswer: (answer: A) => void;
    signal: AbortSignal;
  },
): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (error: Error): void => {
      signal.removeEventListener("abort", cancel);
      stream.off("data", receive);
      stream.cancel();
      reject(error);
    };
    const cancel = (): void => fail(new Error("aborted"));
    // What is thrown inside of a gRPC listener wedges the whole client.
    const receive = (answer: A): void => {
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
    if (signal.aborted) return cancel();
    signal.addEventListener("abort", cancel, { once: true });
    for (const request of requests) stream.write(request);
  });
}
