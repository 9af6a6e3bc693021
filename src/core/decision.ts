import { parseOwner, ownerText } from "./owner.ts";
import type { Publication } from "./publication.ts";
import { freeName } from "./published-name.ts";
import { keyTail, type KeyLayout, ownerKey, serverKey, type ServerId } from "./registry-keys.ts";
import { drainedText, isDrained } from "./server-text.ts";
import { parseServerValue } from "./server-value.ts";
import { hostPort } from "./server.ts";
import { ABSENT, type Commit, NO_LEASE } from "./store-write.ts";

/** A key as the store has it; the value is null when it is no text. */
export interface StoredKey {
  readonly value: string | null;
  readonly modRevision: string;
  readonly lease: string;
}

/** What stands under the two prefixes, by what stands behind them. */
export interface RegistryCopy {
  readonly servers: ReadonlyMap<string, StoredKey>;
  readonly owners: ReadonlyMap<string, StoredKey>;
}

/** The host for which is decided, and the lease that all of its keys share. */
export interface Standing {
  readonly host: string;
  readonly lease: string;
}

/** One step for one server; what it does, for the log. */
export interface Change extends Commit {
  readonly kind: "publish" | "update" | "drain" | "remove" | "disown";
  readonly id: ServerId;
  readonly value: string | null;
}

/** A publication that has another name than it asked for, or none. */
export interface NameDoubt {
  readonly publication: Publication;
  /** The name it got; null = it is not published. */
  readonly name: string | null;
  /** Why: the name is taken, or an operator's own key says what is to be with this very address. */
  readonly why: "taken" | "operator";
}

export interface Decision {
  /** Independent of each other: any of them may be made without the others. */
  readonly changes: readonly Change[];
  readonly doubts: readonly NameDoubt[];
  /** By the publication's id: the tail under which it is, or is to be, published. */
  readonly places: ReadonlyMap<string, string>;
}

/**
 * What is to be written so that the store has exactly `wanted` for this host. A key that is not the host's own is never
 * touched; a server that is no longer wanted is drained by one decision and deleted by a later one.
 */
export function decide(given: {
  wanted: readonly Publication[];
  copy: RegistryCopy;
  standing: Standing;
  layout: KeyLayout;
}): Decision {
  const { wanted, copy, standing, layout } = given;
  const own = ownTails(copy, standing);
  const named = placeAll({ wanted, copy, own, standing, layout });
  const changes: Change[] = [];
  for (const { publication, id } of named.placed) {
    const change = publish({ publication, id, copy, standing, layout });
    if (change !== null) changes.push(change);
  }
  const places = new Map(named.placed.map(({ publication, id }) => [publication.id, keyTail(id, layout)]));
  const used = new Set(places.values());
  for (const [tail, isServer] of own) {
    if (!used.has(tail)) changes.push(takeOut({ tail, isServer, copy, layout, standing }));
  }
  return { changes, doubts: named.doubts, places };
}

/**
 * The tails that belong to the host. True = with a server; false = only a record is left: the server's key was deleted,
 * or somebody else has written over it.
 */
function ownTails(copy: RegistryCopy, { host, lease }: Standing): ReadonlyMap<string, boolean> {
  const own = new Map<string, boolean>();
  for (const [tail, stored] of copy.owners) {
    if (tail.startsWith("@") || ownerOf(stored)?.host !== host) continue;
    const server = copy.servers.get(tail);
    own.set(tail, server !== undefined && (server.lease === stored.lease || server.lease === lease));
  }
  // Its record was deleted by hand: who else could have written on our lease?
  for (const [tail, { lease: itsLease }] of copy.servers) {
    if (itsLease === lease && !copy.owners.has(tail)) own.set(tail, true);
  }
  return own;
}

function ownerOf(stored: StoredKey | undefined): { host: string; container: string } | null {
  if (stored === undefined || stored.value === null) return null;
  const owner = parseOwner(stored.value);
  return owner.ok ? owner.value : null;
}

interface Placed {
  readonly publication: Publication;
  readonly id: ServerId;
}

/** Gives each publication a key. Who is published keeps his: names must not move when others come and go. */
function placeAll(given: {
  wanted: readonly Publication[];
  copy: RegistryCopy;
  own: ReadonlyMap<string, boolean>;
  standing: Standing;
  layout: KeyLayout;
}): { placed: readonly Placed[]; doubts: readonly NameDoubt[] } {
  const { wanted, copy, own, standing, layout } = given;
  const { host } = standing;
  const used = new Set<string>();
  const placed: Placed[] = [];
  const doubts: NameDoubt[] = [];
  const place = (publication: Publication, name: string): void => {
    const id = { backend: publication.backend, name };
    used.add(keyTail(id, layout));
    placed.push({ publication, id });
    if (name !== publication.name) doubts.push({ publication, name, why: "taken" });
  };
  /** Own, or only our record of what somebody deleted. */
  const isFree = (tail: string): boolean =>
    own.get(tail) === true || (own.has(tail) && !copy.servers.has(tail));
  const isTaken = (id: ServerId): boolean => {
    const isForeign = (tail: string): boolean => copy.servers.has(tail) || copy.owners.has(tail);
    return tailsOf(id, layout).some((tail) => used.has(tail) || (isForeign(tail) && !isFree(tail)));
  };
  const newcomers: Publication[] = [];
  for (const publication of wanted) {
    const { backend, name, container } = publication;
    const isHis = (candidate: string): boolean => {
      const tail = keyTail({ backend, name: candidate }, layout);
      return (
        own.get(tail) === true && !used.has(tail) && ownerOf(copy.owners.get(tail))?.container === container
      );
    };
    const kept = freeName({ name, host, container, isTaken: (candidate) => !isHis(candidate) });
    if (kept === null) newcomers.push(publication);
    else place(publication, kept);
  }
  for (const publication of newcomers) {
    const { backend, name, container } = publication;
    if (isOperators({ publication, copy, layout })) {
      doubts.push({ publication, name: null, why: "operator" });
      continue;
    }
    const free = freeName({ name, host, container, isTaken: (one) => isTaken({ backend, name: one }) });
    if (free === null) doubts.push({ publication, name: null, why: "taken" });
    else place(publication, free);
  }
  return { placed, doubts };
}

/** An operator who writes the name of a container's server with its address means that server, and has the last word. */
function isOperators(given: { publication: Publication; copy: RegistryCopy; layout: KeyLayout }): boolean {
  const { publication, copy, layout } = given;
  const ours = parseServerValue(publication.value);
  return tailsOf(publication, layout).some((tail) => {
    const stored = copy.servers.get(tail);
    if (stored === undefined || stored.lease !== NO_LEASE || stored.value === null) return false;
    const his = parseServerValue(stored.value);
    return ours.ok && his.ok && hostPort(ours.value) === hostPort(his.value);
  });
}

/** A server of the default backend may stand under two keys. */
function tailsOf(id: ServerId, layout: KeyLayout): readonly string[] {
  return id.backend === layout.defaultBackend ? [id.name, `${id.backend}/${id.name}`] : [keyTail(id, layout)];
}

function publish(given: {
  publication: Publication;
  id: ServerId;
  copy: RegistryCopy;
  standing: Standing;
  layout: KeyLayout;
}): Change | null {
  const { publication, id, copy, layout } = given;
  const { host, lease } = given.standing;
  const { value, container } = publication;
  const [key, keyOfOwner, tail] = [serverKey(id, layout), ownerKey(id, layout), keyTail(id, layout)];
  const [server, owner] = [copy.servers.get(tail), copy.owners.get(tail)];
  const record = ownerText({ host, container });
  const isServerRight = server?.value === value && server.lease === lease;
  const isOwnerRight = owner?.value === record && owner.lease === lease;
  if (isServerRight && isOwnerRight) return null;
  const expects = [
    { key, modRevision: server?.modRevision ?? ABSENT },
    { key: keyOfOwner, modRevision: owner?.modRevision ?? ABSENT },
  ];
  const writes = [
    ...(isServerRight ? [] : [{ kind: "put" as const, key, value, lease }]),
    ...(isOwnerRight ? [] : [{ kind: "put" as const, key: keyOfOwner, value: record, lease }]),
  ];
  const kind = server === undefined ? "publish" : publication.drained ? "drain" : "update";
  return { kind, id, value, expects, writes };
}

/** Drained first, which tells whoever reads the store that it goes on purpose. */
function takeOut(given: {
  tail: string;
  isServer: boolean;
  copy: RegistryCopy;
  layout: KeyLayout;
  standing: Standing;
}): Change {
  const { tail, isServer, copy, layout } = given;
  const id = idOf(tail, layout);
  const [key, keyOfOwner] = [layout.prefix + tail, layout.ownersPrefix + tail];
  const [server, owner] = [copy.servers.get(tail), copy.owners.get(tail)];
  const ofOwner = { key: keyOfOwner, modRevision: owner?.modRevision ?? ABSENT };
  const deleteOwner = owner === undefined ? [] : [{ kind: "delete" as const, key: keyOfOwner }];
  if (!isServer || server === undefined) {
    return { kind: "disown", id, value: null, expects: [ofOwner], writes: deleteOwner };
  }
  const expects = [{ key, modRevision: server.modRevision }, ofOwner];
  const drained = server.value === null || isDrained(server.value) ? null : drainedText(server.value);
  if (drained === null) {
    return {
      kind: "remove",
      id,
      value: null,
      expects,
      writes: [{ kind: "delete", key }, ...deleteOwner],
    };
  }
  const { lease } = given.standing;
  const put = { kind: "put" as const, key, value: drained, lease: server.lease };
  // A server and its record belong together only while they share a lease.
  return {
    kind: "drain",
    id,
    value: drained,
    expects,
    writes: [owner === undefined ? { ...put, lease } : put],
  };
}

function idOf(tail: string, { defaultBackend }: KeyLayout): ServerId {
  const [backend = "", name] = tail.split("/");
  return name === undefined ? { backend: defaultBackend, name: tail } : { backend, name };
}
