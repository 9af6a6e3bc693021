import type { Reach } from "./container-address.ts";
import type { ServerWish } from "./container-wish.ts";
import { type Container, type Stopping, SWARM_STOPS } from "./container.ts";
import type { ServerState } from "./server.ts";

/** Whether a container's server can be served at this moment. */
export type Readiness =
  | {
      readonly kind: "served";
      readonly address: string;
      readonly port: number;
      readonly state: ServerState;
      /** When its drain is over, by the clock of `nowMs`; null = no end in sight. */
      readonly untilMs: number | null;
    }
  | { readonly kind: "waiting"; readonly reason: string };

/** A stop signal drains at once and takes out when the drain is over; whatever else is amiss takes out at once. */
export function readinessOf(options: {
  container: Container;
  wish: ServerWish;
  reach: Reach;
  nowMs: number;
}): Readiness {
  const { container, wish, reach, nowMs } = options;
  if (container.state !== "running") return waiting(container.state);
  if (reach.kind === "waiting") return reach;
  const { health, stopping } = container;
  if (wish.waitForHealth && health === "starting") return waiting("waiting for healthy: starting");
  if (wish.waitForHealth && health === "unhealthy")
    return waiting("waiting for healthy: Docker says unhealthy");
  const { address, port } = reach;
  const { state } = wish.fields;
  if (stopping === null) return { kind: "served", address, port, state, untilMs: null };
  const untilMs = stopping.sinceMs + wish.drainMs;
  if (nowMs >= untilMs) return waiting(leftReason(stopping, nowMs));
  return { kind: "served", address, port, state: state === "maint" ? "maint" : "drain", untilMs };
}

const waiting = (reason: string): Readiness => ({ kind: "waiting", reason });

function leftReason({ signal, sinceMs }: Stopping, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - sinceMs) / 1000));
  if (signal === SWARM_STOPS) return `Swarm has been stopping it for ${seconds} s, still running`;
  return `stop signal ${signal} received ${seconds} s ago, still running`;
}
