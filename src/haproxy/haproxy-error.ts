/** Where on the way from a candidate to a proven state something went wrong. */
export type HaproxyStage = "runtime" | "check" | "commit" | "reload" | "confirm";

/**
 * HAProxy could not be brought to run a candidate. `refused`: the candidate itself is bad, another one may do.
 * `unreachable`: HAProxy does not answer, which may change at any moment. `failed`: it answers, but did not take it.
 */
export class HaproxyError extends Error {
  override readonly name = "HaproxyError";
  readonly stage: HaproxyStage;
  readonly kind: "refused" | "unreachable" | "failed";

  constructor(
    message: string,
    options: { stage: HaproxyStage; kind: HaproxyError["kind"]; cause?: unknown },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.stage = options.stage;
    this.kind = options.kind;
  }
}
