import type { Abilities } from "./abilities.ts";
import type { ConfigSection, ServerLine } from "./haproxy-config.ts";
import { keyOf, type Operation } from "./operation.ts";
import { obstacles } from "./obstacles.ts";
import { proxySettings } from "./proxy-settings.ts";
import { accept, refuse, type Result } from "./result.ts";
import { addWords, type ServerParameters, serverParameters } from "./server-parameters.ts";
import type { SectionPair } from "./server-changes.ts";
import type { Reason } from "./structure.ts";

/** What holds for all changes. */
export interface ServerPlanInput {
  /** The text with these servers. */
  readonly candidate: { readonly sections: readonly ConfigSection[] };
  /** What the running HAProxy can be told; null = nothing: every change is a reload. */
  readonly abilities: Abilities | null;
  /** Servers that were removed and still have sessions, by `backend/server`, as they were; null = not known. */
  readonly leaving: ReadonlyMap<string, ServerParameters | null>;
  /** Whether a new server waits for its first good check. */
  readonly admitChecked: boolean;
}

/** What the changes of one section take: operations, or reasons why they cannot be had without a reload. */
export interface SectionPlan {
  readonly operations: readonly Operation[];
  readonly reasons: readonly Reason[];
}

type Step = Result<readonly Operation[]>;

export function planServers(pair: SectionPair, input: ServerPlanInput): SectionPlan {
  const { section, changes, title } = pair;
  const { abilities } = input;
  const settings = proxySettings(section, input.candidate.sections);
  const at = (line: ServerLine | undefined, what: string): Reason => ({
    section: title,
    line: section.number + (line?.offset ?? 0),
    what,
  });
  if (abilities === null) return reasonsOnly([at(undefined, "the version of HAProxy is not known")]);
  const given = { ...input, abilities };
  const reasons: Reason[] = obstacles(pair, settings).map(({ line, what }) => at(line, what));
  if (reasons.length > 0) return reasonsOnly(reasons);

  const read = (line: ServerLine): Result<ServerParameters> => {
    const parts = settings.serverWords(line);
    return isClear(line, parts.words) ? serverParameters(parts) : refuse("only HAProxy can read its line");
  };
  const operations: Operation[] = [];
  const take = (line: ServerLine, step: Step): void => {
    if (step.ok) operations.push(...step.value);
    else reasons.push(at(line, `server ${line.name}: ${step.reason}`));
  };
  for (const line of changes.added) {
    const server = { backend: section.name, server: line.name };
    take(line, add(server, read(line), given));
  }
  for (const { before, after } of changes.changed) {
    const [was, now] = [read(before), read(after)];
    const server = { backend: section.name, server: after.name };
    const step = !was.ok
      ? was
      : !now.ok
        ? now
        : change(server, { before: was.value, after: now.value }, given);
    take(after, step);
  }
  for (const line of changes.removed)
    take(line, remove({ backend: section.name, server: line.name }, read(line)));
  return { operations, reasons };
}

/**
 * References to the environment may join words or leave some out, and nothing after an empty word counts (measured);
 * other characters than those of ASCII reach the socket as other bytes.
 */
const isClear = ({ raw }: ServerLine, words: readonly string[]): boolean =>
  !raw.includes("$") && /^[\t -~]*$/.test(raw) && !words.includes("");

const reasonsOnly = (reasons: readonly Reason[]): SectionPlan => ({ operations: [], reasons });

/** What the running HAProxy and the operator say to it. */
type Given = Pick<ServerPlanInput, "leaving" | "admitChecked"> & { readonly abilities: Abilities };

interface Name {
  readonly backend: string;
  readonly server: string;
}

const endsSessions = ({ rest }: ServerParameters): boolean =>
  rest.get("on-marked-down") === "shutdown-sessions";

function remove(name: Name, read: Result<ServerParameters>): Step {
  if (read.ok && endsSessions(read.value)) return refuse("its sessions would be ended");
  if (!read.ok || !isHeld(read.value)) return accept([{ ...name, kind: "remove" }]);
  return refuse("HAProxy does not let go of a server that it resolves or tracks");
}

const isHeld = ({ rest }: ServerParameters): boolean =>
  ["resolvers", "track", "agent-check"].some((keyword) => rest.has(keyword));

/** A server that HAProxy does not have yet, or still has because its sessions of before go on. */
export function add(name: Name, read: Result<ServerParameters>, given: Given): Step {
  if (!read.ok) return read;
  const { value: server } = read;
  const { address, port, checked, disabled } = server;
  const words = addWords(server, given.abilities);
  if (!words.ok) return words;
  if (address === null) return refuse("a host name is resolved only after a reload");
  const leaving = given.leaving.get(keyOf(name));
  if (leaving === null) return refuse("a server of this name still has sessions");
  if (leaving !== undefined)
    return change(name, { before: { ...leaving, disabled: true, weight: -1 }, after: server }, given);
  const waits = given.admitChecked && checked && !disabled;
  const initState =
    waits && given.abilities.hasInitState && !server.rest.has("init-state") ? ["init-state", "down"] : [];
  return accept([
    {
      ...name,
      kind: "add",
      address,
      port,
      words: [...words.value, ...initState],
      checked,
      disabled,
      startsDown: waits && !given.abilities.hasInitState,
    },
  ]);
}

/** What turns one server into the other while HAProxy runs. */
export function change(
  name: Name,
  { before: was, after: now }: { before: ServerParameters; after: ServerParameters },
  { abilities, admitChecked }: Given,
): Step {
  const different = differentKeyword(was, now);
  if (different !== undefined) return refuse(`${different} changed`);
  const operations: Operation[] = [];
  const { address, port, checked, weight, maxconn, disabled } = now;
  const isMoved = address !== null && (address !== was.address || port !== was.port);
  if (isMoved) {
    if (!abilities.movesExactly) return refuse("HAProxy 2.6 goes on using connections to the old address");
    operations.push({ ...name, kind: "address", address, port });
  }
  // What the check found at the old address, or before the maintenance, says nothing about now.
  const isBack = was.disabled && admitChecked;
  if (checked && !disabled && (isMoved || isBack))
    operations.push({ ...name, kind: "health", health: admitChecked ? "down" : "up" });
  // HAProxy makes one number of both when it reads them, and takes the new one for both or for one of them.
  if (maxconn !== was.maxconn && now.rest.has("minconn")) return refuse("maxconn beside minconn changed");
  if (disabled && !was.disabled && endsSessions(now)) return refuse("its sessions would be ended");
  if (weight !== was.weight) operations.push({ ...name, kind: "weight", weight });
  if (maxconn !== was.maxconn) operations.push({ ...name, kind: "maxconn", maxconn });
  if (disabled !== was.disabled)
    operations.push({ ...name, kind: "state", state: disabled ? "maint" : "ready", checked });
  return accept(operations);
}

function differentKeyword(was: ServerParameters, now: ServerParameters): string | undefined {
  const names = new Set([...was.rest.keys(), ...now.rest.keys()]);
  return [...names].find((name) => was.rest.get(name) !== now.rest.get(name));
}
