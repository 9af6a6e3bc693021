import type { ForeignTools } from "./foreign-tools.ts";
import type { Result } from "./result.ts";

/** A container as an engine lists it, in one form for all versions of the API. Its texts are not trusted. */
export interface Container {
  /** 64 hexadecimal digits; a reused name or address is another container. */
  readonly id: string;
  /** Without the slash in front. */
  readonly names: readonly string[];
  readonly createdAtMs: number;
  /** Another text after each start; only ever compared for equality. */
  readonly startMark: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Those of its environment variables that are words of other tools; undefined = nobody asked for them. */
  readonly variables?: ReadonlyMap<string, string>;
  readonly state: ContainerState;
  /** What the image's HEALTHCHECK says; `none` = it has none, or the container is paused. */
  readonly health: ContainerHealth;
  /** `default`, `bridge`, `host`, `none`, `container:ID` or the name of a network. */
  readonly networkMode: string;
  /** Sorted by name. */
  readonly networks: readonly ContainerNetwork[];
  /** Exposed or published TCP ports inside the container, sorted. */
  readonly tcpPorts: readonly number[];
  /** Published TCP ports. */
  readonly published: readonly PublishedPort[];
  /** The stop signal that was seen, or null. */
  readonly stopping: Stopping | null;
  /** Address of its node, for a task of Docker Swarm; not there = it runs on the engine's own host. */
  readonly hostAddress?: string;
}

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export type ContainerHealth = "none" | "starting" | "healthy" | "unhealthy";

export interface ContainerNetwork {
  readonly name: string;
  readonly id: string;
  /** IPv4; null = none, as while a container starts or when it is on the host's network. */
  readonly address: string | null;
  /** IPv6. */
  readonly address6: string | null;
  readonly gateway: string | null;
}

export interface PublishedPort {
  readonly privatePort: number;
  readonly publicPort: number;
  /** The host's address that the port is bound to; empty, `0.0.0.0` or `::` = all of them. */
  readonly hostIp: string;
}

/** A container that was told to stop and still runs. */
export interface Stopping {
  /** Number of the signal: 15 = SIGTERM; `SWARM_STOPS` = it will come. */
  readonly signal: number;
  /** When the signal was seen, in milliseconds by our own clock, never the engine's. */
  readonly sinceMs: number;
}

/**
 * Where Rollcall stands, seen from the engine:
 * - `host`: on the engine's own host, outside of any container: it reaches every bridge network and the loopback;
 * - `container`: in a container of this engine, on these networks;
 * - `elsewhere`: on another host, or in a container of another engine: it shares no network with the containers.
 */
export type SelfPlace =
  | { readonly kind: "host" }
  | {
      readonly kind: "container";
      readonly networks: readonly string[];
      readonly hostNetwork: boolean;
      /** The host's address on one of those networks. */
      readonly gateway: string | null;
    }
  | {
      readonly kind: "elsewhere";
      /** Address or name of the engine's host, if it is known. */
      readonly engineHost: string | null;
    };

/** How an operator wants containers to be read. */
export interface ContainerSettings {
  /** Name of the source, for origins. */
  readonly source: string;
  /** Labels are `PREFIX.enable` and so on. */
  readonly labelPrefix: string;
  /** Whether a container without an `enable` label is in. */
  readonly enableByDefault: boolean;
  readonly defaultBackend: string;
  /** Network whose addresses are taken where no label says so; null = the one shared with Rollcall. */
  readonly network: string | null;
  /** How addresses are found that go to other hosts; undefined = they are for HAProxy beside Rollcall. */
  readonly publishing?: Publishing;
  /** Other tools whose labels and variables are read too; undefined = none. */
  readonly foreign?: ForeignTools;
  readonly self: SelfPlace;
}

/** What an operator said, and what the machine knows, about addresses that other hosts reach. */
export interface Publishing {
  /** `container`: the containers' own; `host`: the host's, with published ports; `auto`: whichever is right. */
  readonly mode: "auto" | "container" | "host";
  /** This host's address or name as it was given; null = it is to be found. */
  readonly given: string | null;
  /** The address of its own from which this machine sends to etcd, and the member's address `to`. */
  readonly route: Result<{ readonly address: string; readonly to: string }>;
}

/** In place of a signal: Docker Swarm wants an end of the container, and sends the signal in a moment. */
export const SWARM_STOPS = 0;

/** Waiting time between the stop signal and the removal where no label says so. */
export const DEFAULT_DRAIN_MS = 10_000;

/** The first twelve digits, as `docker ps` shows them. */
export const shortId = (id: string): string => id.slice(0, 12);
