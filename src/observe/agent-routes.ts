import type { AgentStatus } from "../core/agent-status.ts";
import { agentReadiness } from "./agent-readiness.ts";
import { agentStatusJson } from "./agent-status-json.ts";
import { jsonAnswer, metricsAnswer, readyAnswer, type Route, type Routes, textAnswer } from "./answer.ts";
import type { Metrics } from "./metrics.ts";

const INDEX = `Rollcall, agent of a Docker host

/livez       200 while it answers
/readyz      200 while the host's servers are registered; says why not
/metrics     for Prometheus
/api/status  everything, as JSON`;

/** What an agent serves. */
export function agentRoutes(given: {
  status: () => AgentStatus;
  metrics: Pick<Metrics, "text" | "contentType">;
}): Routes {
  const { status, metrics } = given;
  return new Map<string, Route>([
    ["/", { access: "read", answer: () => textAnswer(200, INDEX) }],
    ["/livez", { access: "open", answer: () => textAnswer(200, "alive") }],
    ["/readyz", { access: "open", answer: () => readyAnswer(agentReadiness(status())) }],
    ["/metrics", { access: "read", answer: () => metricsAnswer(metrics) }],
    ["/api/status", { access: "read", answer: () => jsonAnswer(agentStatusJson(status())) }],
  ]);
}
