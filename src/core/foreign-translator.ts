import type { Container } from "./container.ts";
import type { Result } from "./result.ts";

/** What the words of other tools come to in our own labels. */
export interface ForeignLabels {
  /** All labels of the container and ours for theirs; several sets when it is to be in several backends. */
  readonly sets: readonly ReadonlyMap<string, string>[];
  /** What was left out, and why. */
  readonly warnings: readonly string[];
}

/** One tool's words; `labels` are those to add to, `isIn` whether the container is served without these words. */
export type Translator = (options: {
  container: Container;
  labels: ReadonlyMap<string, string>;
  prefix: string;
  isIn: boolean;
}) => Result<ForeignLabels>;
