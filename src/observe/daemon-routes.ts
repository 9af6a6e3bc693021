import type { Status } from "../core/status.ts";
import {
  type Answer,
  jsonAnswer,
  metricsAnswer,
  readyAnswer,
  type Route,
  type Routes,
  textAnswer,
} from "./answer.ts";
import { isAlive, MAX_SILENCE_MS } from "./liveness.ts";
import type { Metrics } from "./metrics.ts";
import { readiness } from "./readiness.ts";
import { statusJson } from "./status-json.ts";

const INDEX = `Rollcall

/livez       200 while the loop turns
/readyz      200 while HAProxy is proven to run what Rollcall rendered; says why not
/metrics     for Prometheus
/api/status  everything, as JSON`;

/** What the daemon beside HAProxy serves. */
export function daemonRoutes(given: {
  status: () => Status;
  metrics: Pick<Metrics, "text" | "contentType">;
}): Routes {
  const { status, metrics } = given;
  return new Map<string, Route>([
    ["/", { access: "read", answer: () => textAnswer(200, INDEX) }],
    ["/livez", { access: "open", answer: () => livez(status()) }],
    ["/readyz", { access: "open", answer: () => readyAnswer(readiness(status())) }],
    ["/metrics", { access: "read", answer: () => metricsAnswer(metrics) }],
    ["/api/status", { access: "read", answer: () => jsonAnswer(statusJson(status())) }],
  ]);
}

function livez(status: Status): Answer {
  return isAlive(status)
    ? textAnswer(200, "alive")
    : textAnswer(
        503,
        `not alive\nThe loop has ended no pass for more than ${MAX_SILENCE_MS / 60_000} minutes.`,
      );
}
