import { overrideText, type Overriding } from "./override.ts";
import { type KeyLayout, keyTail, type ServerId } from "./registry-keys.ts";
import type { Server } from "./server.ts";

/** Who put a server's key there. */
export type Registrar =
  /** Whoever writes keys that stay: an operator, or a script of his. */
  | { readonly kind: "operator" }
  /** The agent of this host; the container is null when only the lease tells. */
  | { readonly kind: "host"; readonly host: string; readonly container: string | null }
  /** A program that is no agent of ours: the key has a lease, and no owner. */
  | { readonly kind: "program" };

/** A key under the servers' or the overrides' prefix. */
export interface SeenKey {
  readonly key: string;
  /** As the store has it; null = it is no text. */
  readonly value: string | null;
  readonly modRevision: string;
  readonly lease: string;
  /** Which server it is about; null = its name is refused. */
  readonly id: ServerId | null;
  /** Why it is refused; null = it is not. */
  readonly reason: string | null;
}

export interface SeenServer extends SeenKey {
  /** What its value says; null = it is refused. */
  readonly server: Server | null;
  readonly by: Registrar;
}

export interface SeenOverride extends SeenKey {
  /** Null = it is refused. */
  readonly overriding: Overriding | null;
}

export interface SeenHost {
  readonly host: string;
  /** Version of its agent. */
  readonly version: string;
}

/** The store at one revision, for an operator. All lists are sorted by key. */
export interface RegistryView {
  readonly layout: KeyLayout;
  readonly revision: string;
  readonly servers: readonly SeenServer[];
  readonly overrides: readonly SeenOverride[];
  readonly hosts: readonly SeenHost[];
}

/** What all keys of one server's overrides say together; null = nothing. */
export function overridingOf(id: ServerId, view: RegistryView): Overriding | null {
  const found = view.overrides
    .filter((one) => isSame(one.id, id))
    .flatMap(({ overriding }) => overriding ?? []);
  const last = <T>(values: readonly (T | null)[]): T | null => values.findLast((one) => one !== null) ?? null;
  const all = {
    state: last(found.map(({ state }) => state)),
    weight: last(found.map(({ weight }) => weight)),
  };
  return overrideText(all) === "" ? null : all;
}

export const isSame = (one: ServerId | null, other: ServerId): boolean =>
  one?.backend === other.backend && one.name === other.name;

/** How a server is called in all commands. */
export const nameOf = (id: ServerId, { layout }: Pick<RegistryView, "layout">): string => keyTail(id, layout);
