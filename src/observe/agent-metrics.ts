import type { AgentStatus, RegistrationState } from "../core/agent-status.ts";
import { agentReadiness } from "./agent-readiness.ts";
import type { Metrics } from "./metrics.ts";
import { addProcessMetrics, Counter, Gauge, inSeconds, Registry, setOrRemove } from "./prometheus.ts";

const STATES: readonly RegistrationState[] = Object.keys({
  disconnected: true,
  waiting: true,
  registering: true,
  "standing-by": true,
  withdrawn: true,
} satisfies Record<RegistrationState, true>) as RegistrationState[];

/** What Prometheus is told of an agent: all of it is a view of the status at the moment of the scrape. */
export function agentMetrics(options: { status: () => AgentStatus }): Pick<Metrics, "text" | "contentType"> {
  const registry = new Registry();
  const set = gauges(registry);
  const count = counters(registry);
  addProcessMetrics(registry);
  return {
    text: () => {
      const status = options.status();
      set(status);
      count(status);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

function gauges(registry: Registry): (status: AgentStatus) => void {
  const gauge = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
    new Gauge<Label>({ name: `rollcall_agent_${name}`, help, labelNames, registers: [registry] });
  const info = gauge(
    "info",
    "Always 1; labels are Rollcall's version and the host's name.",
    "version",
    "host",
  );
  const ready = gauge("ready", "Whether /readyz says ready: 1 or 0.");
  const state = gauge("state", "1 for the state of registration, 0 for the others.", "state");
  const up = gauge("docker_up", "Whether the engine is connected: 1 or 0.");
  const wanted = gauge(
    "servers_wanted",
    "Servers that containers ask for; no sample before the engine answered.",
  );
  const published = gauge("servers_registered", "Servers that are in etcd as they should be.");
  const refused = gauge("servers_refused", "Servers that cannot be registered, and quarantined containers.");
  const refreshed = gauge(
    "lease_refreshed_timestamp_seconds",
    "When the lease was refreshed last; no sample before the first time.",
  );
  return (status) => {
    const { registration, source, version, host } = status;
    info.reset();
    info.set({ version, host }, 1);
    ready.set(Number(agentReadiness(status).ready));
    for (const one of STATES) state.set({ state: one }, Number(one === registration.state));
    up.set(Number(source.state === "live"));
    setOrRemove(wanted, registration.wanted);
    published.set(registration.published);
    refused.set(
      status.refused.length +
        registration.doubts.filter(({ name }) => name === null).length +
        (source.snapshot?.quarantined.length ?? 0),
    );
    setOrRemove(refreshed, inSeconds(registration.refreshedAtMs));
  };
}

function counters(registry: Registry): (status: AgentStatus) => void {
  const counter = (name: string, help: string) =>
    new Counter({ name: `rollcall_agent_${name}_total`, help, registers: [registry] });
  const all = {
    transactions: counter("transactions", "Transactions that were sent to etcd."),
    conflicts: counter("conflicts", "Transactions that met something other than what had been read."),
    keepalives: counter("keepalives", "Refreshes of the lease."),
    leases: counter("leases", "Leases that were asked for."),
    breaks: counter("etcd_breaks", "Connections to etcd that broke, or could not be made."),
  };
  return ({ registration: { counts } }) => {
    for (const [name, one] of Object.entries(all)) {
      one.reset();
      one.inc(counts[name as keyof typeof counts]);
    }
  };
}
