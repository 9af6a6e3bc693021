/** What is answered to a request. */
export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers by path. */
export type Routes = ReadonlyMap<string, () => Answer | Promise<Answer>>;

export const textAnswer = (code: number, body: string): Answer => ({
  code,
  type: "text/plain; charset=utf-8",
  body: `${body}\n`,
});

export const jsonAnswer = (value: unknown): Answer => ({
  code: 200,
  type: "application/json",
  body: `${JSON.stringify(value)}\n`,
});

/** Ready or not, and why, for people and for probes. */
export function readyAnswer(given: {
  ready: boolean;
  reasons: readonly string[];
  notes: readonly string[];
}): Answer {
  const { ready, reasons, notes } = given;
  const lines = [ready ? "ready" : "not ready", ...reasons, ...notes.map((note) => `note: ${note}`)];
  return textAnswer(ready ? 200 : 503, lines.join("\n"));
}
