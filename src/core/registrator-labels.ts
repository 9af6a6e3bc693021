import { parsePort, quote } from "./address.ts";
import { parseDuration } from "./duration.ts";
import type { Translator } from "./foreign-translator.ts";
import { foreignWords, isRegistratorWord } from "./foreign-words.ts";
import { labelAdder, type LabelAdder } from "./label-adder.ts";
import { parseName } from "./names.ts";
import { accept, refuse, type Result } from "./result.ts";
import { parseCheckPath, parseMeta, parseTags } from "./server-fields.ts";

/** Words without their SERVICE_, in small letters as Registrator has them. */
type Words = ReadonlyMap<string, string>;

interface ServiceWords {
  readonly common: Words;
  readonly byPort: ReadonlyMap<number, Words>;
}

/** One port more than labels may name, so that too many are refused and not forgotten. */
const MAX_PORTS = 33;
/** Words that have a meaning of their own; all others but those of checks are free data. */
const KNOWN = new Set(["name", "id", "tags", "ignore"]);
const OTHER_CHECKS = ["script", "cmd", "ttl", "grpc", "https"];

/**
 * What Registrator reads, with `-explicit`: a container with SERVICE_NAME is in, or those of its ports that have a
 * SERVICE_PORT_NAME. The name is the backend's. What does not fit is left out, but for the name.
 */
export const registratorLabels: Translator = ({ container, labels, prefix, isIn }) => {
  const { words, warnings: tooMuch } = foreignWords(container, isRegistratorWord);
  const service = sortOut(words);
  const namedPorts = [...service.byPort].filter(([, own]) => own.has("name")).map(([port]) => port);
  const isNamed = service.common.has("name") || namedPorts.length > 0;
  const adder = labelAdder(labels, prefix);
  if (!isNamed && !isIn && !adder.has("enable")) return accept({ sets: [labels], warnings: [] });
  const all = portsOf({ adder, tcpPorts: container.tcpPorts, namedPorts, isNamed });
  const ports = all.filter((port) => !wordsOf(service, port).has("ignore"));
  const isIgnored = service.common.has("ignore") || (all.length > 0 && ports.length === 0);
  adder.add("enable", isIgnored ? "false" : "true");
  if (isIgnored) return accept({ sets: [adder.labels()], warnings: [] });
  const warnings = [...tooMuch];
  for (const port of all.length === 0 ? [null] : ports) {
    const isOne = all.length < 2 || service.byPort.get(port ?? 0)?.has("name") === true;
    const backend = backendOf({ words: wordsOf(service, port), port, isOne });
    // With labels for one port, that port is served: those without a name are not to be.
    if (isNamed && backend === null && !adder.ports.has(port ?? 0)) continue;
    if (backend !== null && !adder.has("backend", port)) {
      const name = parseName("backend", backend);
      if (!name.ok) return refuse(`${shown("name", port)}: ${name.reason}`);
      adder.add("backend", name.value, port);
    }
    warnings.push(...addRest({ adder, service, port }));
  }
  return accept({ sets: [adder.labels()], warnings });
};

function sortOut(words: Words): ServiceWords {
  const common = new Map<string, string>();
  const byPort = new Map<number, Map<string, string>>();
  for (const [name, value] of words) {
    const key = name.slice("SERVICE_".length).toLowerCase();
    const [, number, rest] = /^([0-9]+)_(.+)$/s.exec(key) ?? [];
    if (number === undefined || rest === undefined) {
      common.set(key, value);
      continue;
    }
    const port = parsePort(number);
    if (!port.ok) continue;
    byPort.set(port.value, (byPort.get(port.value) ?? new Map<string, string>()).set(rest, value));
  }
  return { common, byPort };
}

/** What holds for a port: its own words go before those for all. */
const wordsOf = ({ common, byPort }: ServiceWords, port: number | null): Words =>
  new Map([...common, ...(byPort.get(port ?? 0) ?? [])]);

/** The container's own labels name the ports, else its exposed ones are meant, and those that a name is for. */
function portsOf(options: {
  adder: LabelAdder;
  tcpPorts: readonly number[];
  namedPorts: readonly number[];
  isNamed: boolean;
}): readonly number[] {
  const { adder, tcpPorts, namedPorts, isNamed } = options;
  if (adder.ports.size > 0) return [...adder.ports].slice(0, MAX_PORTS);
  if (!isNamed) return tcpPorts.length === 1 ? tcpPorts : [];
  return [...new Set([...tcpPorts, ...namedPorts])].slice(0, MAX_PORTS);
}

/** Of several ports each has a name of its own, or the common one with its number behind it. */
function backendOf({ words, port, isOne }: { words: Words; port: number | null; isOne: boolean }) {
  const name = words.get("name");
  return name === undefined || isOne ? (name ?? null) : `${name}-${port}`;
}

/** Everything but the name; resolves what does not fit to warnings. */
function addRest(options: {
  adder: LabelAdder;
  service: ServiceWords;
  port: number | null;
}): readonly string[] {
  const { adder, service, port } = options;
  const words = wordsOf(service, port);
  const warnings: string[] = [];
  const add = (label: string, word: string, parser: (text: string) => Result<unknown>): void => {
    const text = words.get(word);
    if (text === undefined || adder.has(label, port)) return;
    const parsed = parser(text);
    if (parsed.ok) adder.add(label, text, port);
    else warnings.push(`${shown(word, port)} is left out: ${parsed.reason}`);
  };
  add("name", "id", (text) => parseName("server name", text));
  add("check.path", "check_http", parseCheckPath);
  add("check.interval", "check_interval", parseDuration);
  const { tags, odd } = splitTags(words.get("tags") ?? "");
  if (tags.length > 0) adder.add("tags", tags.join(","), port);
  warnings.push(...odd.map((tag) => `${shown("tags", port)}: tag ${quote(tag)} is left out`));
  const check = OTHER_CHECKS.find((kind) => words.has(`check_${kind}`));
  if (check !== undefined && !words.has("check_http"))
    warnings.push(
      `${shown(`check_${check}`, port)} is left out: HAProxy checks by TCP, or as CHECK_HTTP says`,
    );
  return [...warnings, ...addMeta({ adder, words, port })];
}

function addMeta(options: { adder: LabelAdder; words: Words; port: number | null }): readonly string[] {
  const warnings: string[] = [];
  for (const [key, value] of options.words) {
    if (KNOWN.has(key) || key.startsWith("check_")) continue;
    if (parseMeta([[key, value]]).ok) options.adder.add(`meta.${key}`, value, options.port);
    // The value is not shown: it may be a secret of a program that has such variables, too.
    else warnings.push(`${quote(`SERVICE_${key.toUpperCase()}`)} is left out: it does not fit into meta`);
  }
  return warnings;
}

/** Commas part tags, but for those with a backslash in front. Empty tags are none. */
function splitTags(text: string): { tags: readonly string[]; odd: readonly string[] } {
  const all = text.split(/(?<!\\),/).filter((tag) => tag !== "");
  const isGood = (tag: string): boolean => parseTags(tag).ok;
  return { tags: all.filter(isGood), odd: all.filter((tag) => !isGood(tag)) };
}

const shown = (word: string, port: number | null): string =>
  `SERVICE_${port === null ? "" : `${port}_`}${word.toUpperCase()}`;
