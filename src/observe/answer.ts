/** What is answered to a request. */
export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is served at a path. */
export interface Route {
  /**
   * - `open`: answered to everybody, since probes know no token; without it only by the first line.
   * - `read`: needs the token, if there is one.
   * - `change`: changes something, is asked by POST, and always needs a token: without one it is not there for anybody.
   */
  readonly access: "open" | "read" | "change";
  readonly answer: () => Answer | Promise<Answer>;
}

/** What is served, by path. */
export type Routes = ReadonlyMap<string, Route>;

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

/** What Prometheus reads. */
export const metricsAnswer = async (metrics: {
  text: () => Promise<string>;
  readonly contentType: string;
}): Promise<Answer> => ({ code: 200, type: metrics.contentType, body: await metrics.text() });
