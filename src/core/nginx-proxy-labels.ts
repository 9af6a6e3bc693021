import { parsePort, quote } from "./address.ts";
import type { Translator } from "./foreign-translator.ts";
import { foreignWords, isNginxProxyWord } from "./foreign-words.ts";
import { labelAdder, type LabelAdder } from "./label-adder.ts";
import { accept, refuse, type Result } from "./result.ts";
import { parseRouteHost, parseRoutePath } from "./server-fields.ts";

type Words = ReadonlyMap<string, string>;

const MAX_HOSTS = 16;
const MAX_NAME = 63;
/** nginx-proxy's own choice where a container exposes several ports or none. */
const DEFAULT_PORT = 80;

/**
 * What nginx-proxy reads: a container with VIRTUAL_HOST is in, with a backend for each host name and path, so that
 * containers are together exactly where nginx-proxy has them together. What it would do and we cannot is refused:
 * above all NETWORK_ACCESS=internal, which keeps strangers out.
 */
export const nginxProxyLabels: Translator = ({ container, labels, prefix }) => {
  const { words, warnings } = foreignWords(container, isNginxProxyWord);
  const hostText = words.get("VIRTUAL_HOST");
  if (hostText === undefined && !words.has("VIRTUAL_HOST_MULTIPORTS"))
    return accept({ sets: [labels], warnings });
  const obstacle = obstacleOf(words);
  if (obstacle !== null) return refuse(obstacle);
  const hosts = parseHosts(hostText ?? "");
  if (!hosts.ok) return hosts;
  const path = parsePath(words.get("VIRTUAL_PATH") ?? "/");
  if (!path.ok) return path;
  const port = portOf(words, container.tcpPorts);
  if (!port.ok) return port;
  const adders = placesOf({ hosts: hosts.value.good, path: path.value, labels, prefix });
  for (const adder of adders) {
    adder.add("enable", "true");
    if (adder.ports.size === 0) adder.add("port", String(port.value));
  }
  const left = hosts.value.bad.map((reason) => `VIRTUAL_HOST: ${reason}`);
  return accept({ sets: adders.map((adder) => adder.labels()), warnings: [...warnings, ...left] });
};

function obstacleOf(words: Words): string | null {
  const text = (name: string): string => (words.get(name) ?? "").trim();
  if (words.has("VIRTUAL_HOST_MULTIPORTS"))
    return "VIRTUAL_HOST_MULTIPORTS is not read: name the ports in labels, like rollcall.8080.host";
  const access = text("NETWORK_ACCESS");
  if (access !== "" && access !== "external")
    return `NETWORK_ACCESS=${quote(access)} is not read, and without it everybody could get in`;
  const protocol = text("VIRTUAL_PROTO");
  if (protocol !== "" && protocol !== "http")
    return `VIRTUAL_PROTO: ${quote(protocol)} is not supported, only http`;
  const isRewritten = text("VIRTUAL_DEST") !== "" && text("VIRTUAL_DEST") !== words.get("VIRTUAL_PATH");
  return isRewritten ? "VIRTUAL_DEST: paths are not rewritten" : null;
}

/** At least one good host name, or the reason of the first bad one. */
function parseHosts(text: string): Result<{ good: readonly string[]; bad: readonly string[] }> {
  const good = new Set<string>();
  const bad: string[] = [];
  for (const part of text.split(",").map((one) => one.trim())) {
    if (part === "") continue;
    const host = part.startsWith("~") ? refuse(`${quote(part)} ${REGEX}`) : parseRouteHost(part);
    if (host.ok) good.add(host.value);
    else bad.push(host.reason);
  }
  if (good.size > MAX_HOSTS) return refuse(`VIRTUAL_HOST: more than ${MAX_HOSTS} host names`);
  if (good.size === 0) return refuse(`VIRTUAL_HOST: ${bad[0] ?? "there is no host name in it"}`);
  return accept({ good: [...good], bad });
}

const REGEX = "is a regular expression: write the host names, or *.example.org for all below it";

/** null = all paths. */
function parsePath(text: string): Result<string | null> {
  const path = parseRoutePath(text.trim());
  if (!path.ok) return refuse(`VIRTUAL_PATH: ${path.reason}`);
  const trimmed = path.value.replace(/\/+$/, "");
  return accept(trimmed === "" ? null : trimmed);
}

function portOf(words: Words, tcpPorts: readonly number[]): Result<number> {
  const text = words.get("VIRTUAL_PORT")?.trim();
  const [only = DEFAULT_PORT] = tcpPorts;
  if (text === undefined) return accept(tcpPorts.length === 1 ? only : DEFAULT_PORT);
  const port = parsePort(text);
  return port.ok ? port : refuse(`VIRTUAL_PORT: ${port.reason}`);
}

/** One set of labels for each backend: one in all where the container's own labels say which. */
function placesOf(options: {
  hosts: readonly string[];
  path: string | null;
  labels: ReadonlyMap<string, string>;
  prefix: string;
}): readonly LabelAdder[] {
  const { hosts, path, labels, prefix } = options;
  const isPlaced = ["backend", "host"].some((name) => labels.has(`${prefix}.${name}`));
  return (isPlaced ? [hosts.join(",")] : hosts).map((host) => {
    const adder = labelAdder(labels, prefix);
    adder.add("host", host);
    if (path !== null) adder.add("path", path);
    if (!isPlaced) adder.add("backend", backendOf(host, path));
    return adder;
  });
}

/**
 * `example.org`, `any-.example.org` for `*.example.org`, `example.org..api.v2` for the path /api/v2: no host name looks
 * like the last two, so that different places never share a name. What does not fit has a checksum behind it.
 */
function backendOf(host: string, path: string | null): string {
  const front = host.replace(/^\*/, "any-").replace(/^_/, "x_");
  const isPlain = path === null || /^(?:\/[A-Za-z0-9_-]+)+$/.test(path);
  const name = path === null ? front : `${front}..${isPlain ? path.slice(1).replaceAll("/", ".") : "path"}`;
  const isWhole = isPlain && !host.startsWith("_") && name.length <= MAX_NAME;
  return isWhole ? name : `${name.slice(0, MAX_NAME - 9)}-${checksum(`${host} ${path ?? ""}`)}`;
}

/** FNV-1a, as eight hexadecimal digits. */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (sum >>> 0).toString(16).padStart(8, "0");
}
