import { collectDefaultMetrics, type Gauge, Registry } from "@prometheus-io/client";

/* Prometheus' library, as far as it is used here. */
export { Counter, Gauge, Histogram, Registry } from "@prometheus-io/client";

/** Sets a gauge; null = it has no sample. */
export function setOrRemove(gauge: Gauge, value: number | null): void {
  if (value === null) gauge.remove();
  else gauge.set(value);
}

export const inSeconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** In the library's order: the first of a family fills in the others. */
const PROCESS_METRICS = [
  "process_cpu_user_seconds_total",
  "process_cpu_system_seconds_total",
  "process_cpu_seconds_total",
  "process_start_time_seconds",
  "process_resident_memory_bytes",
  "process_open_fds",
  "process_max_fds",
  "nodejs_eventloop_lag_seconds",
  "nodejs_heap_size_total_bytes",
  "nodejs_heap_size_used_bytes",
  "nodejs_external_memory_bytes",
];

/**
 * Some of the library's own metrics of the process. All of them would be 33 families, among them gauges that are
 * named like counters, and two timers that wake an idle process 110 times a second and cannot be stopped (measured:
 * 5 ms of CPU a second). Those timers keep no process alive; here they get the longest periods that they take.
 */
export function addProcessMetrics(registry: Registry): void {
  const all = new Registry();
  const longestMs = 2 ** 31 - 1;
  collectDefaultMetrics({
    register: all,
    eventLoopUtilizationTimeout: longestMs,
    eventLoopMonitoringPrecision: longestMs,
  });
  for (const name of PROCESS_METRICS) {
    const metric = all.getSingleMetric(name);
    if (metric !== undefined) registry.registerMetric(metric);
  }
}
