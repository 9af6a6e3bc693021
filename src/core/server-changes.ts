import type { ConfigSection, ServerLine } from "./haproxy-config.ts";

/** What became of the servers of one section. */
export interface ServerChanges {
  readonly added: readonly ServerLine[];
  readonly removed: readonly ServerLine[];
  readonly changed: readonly { readonly before: ServerLine; readonly after: ServerLine }[];
  /** Those that stay changed places. */
  readonly isReordered: boolean;
}

/** A section in both texts, with what became of its servers. */
export interface SectionPair {
  readonly title: string;
  readonly section: ConfigSection;
  readonly changes: ServerChanges;
}

type Servers = Pick<ConfigSection, "servers">;

/** Compares by name. Equal lines at the beginning and the end, nearly all of thousands, are passed over. */
export function serverChanges(before: Servers, after: Servers): ServerChanges {
  const [old, now] = trimmed(before.servers, after.servers);
  const [oldByName, names] = [byName(old), new Set(now.map(({ name }) => name))];
  const staying = now.filter(({ name }) => oldByName.has(name));
  const stayed = old.filter(({ name }) => names.has(name));
  return {
    added: now.filter(({ name }) => !oldByName.has(name)),
    removed: old.filter(({ name }) => !names.has(name)),
    changed: staying.flatMap((line) => {
      const was = oldByName.get(line.name);
      return was === undefined || isSame(was, line) ? [] : [{ before: was, after: line }];
    }),
    isReordered: staying.some(({ name }, at) => stayed[at]?.name !== name),
  };
}

const isSame = (one: ServerLine | undefined, other: ServerLine | undefined): boolean =>
  one === other || (one?.raw === other?.raw && one?.defaults === other?.defaults);

function trimmed(
  old: readonly ServerLine[],
  now: readonly ServerLine[],
): [readonly ServerLine[], readonly ServerLine[]] {
  const shortest = Math.min(old.length, now.length);
  let first = 0;
  while (first < shortest && isSame(old[first], now[first])) first++;
  let last = 0;
  while (last < shortest - first && isSame(old.at(-1 - last), now.at(-1 - last))) last++;
  return [old.slice(first, old.length - last), now.slice(first, now.length - last)];
}

const byName = (lines: readonly ServerLine[]): ReadonlyMap<string, ServerLine> =>
  new Map(lines.map((line) => [line.name, line]));

/** `servers: +web4 -web1 ~web2`, with no more than ten names; empty when nothing changed. */
export function describeServers({ added, removed, changed, isReordered }: ServerChanges): string {
  const names = [
    ...added.map(({ name }) => `+${name}`),
    ...removed.map(({ name }) => `-${name}`),
    ...changed.map(({ after: { name } }) => `~${name}`),
  ];
  if (names.length === 0) return isReordered ? "servers: another order" : "";
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return `servers: ${names.slice(0, 10).join(" ")}${more}`;
}
