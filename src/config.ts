import { messageOf } from "./lib/errors.ts";
import { harmless } from "./lib/harmless.ts";
import { parseYaml } from "./lib/yaml.ts";
import { suggest } from "./core/suggest.ts";
import { type Config, OPTION_NAMES, type OptionName, OPTIONS, variableOf } from "./options.ts";

/** The file that is read when neither `--config` nor `ROLLCALL_CONFIG` names one; it need not exist. */
export const DEFAULT_CONFIG_FILE = "/etc/rollcall/rollcall.yaml";

/** What is told of a file that is none: so many problems, of so many characters. */
const MAX_PROBLEMS = 50;
const MAX_LENGTH = 1000;

export interface ConfigSources {
  /** Flags without their `--`, as given. */
  readonly flags: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns the text of a file; null = there is none. */
  readonly readFile: (path: string) => string | null;
}

/** Where one setting was found, to name it in a problem. */
interface Setting {
  readonly text: string;
  readonly where: string;
}

/**
 * Puts the options together from flags, environment and rollcall.yaml. Every problem is found at once; names that do
 * not exist come with the name that was probably meant.
 */
export function readConfig(sources: ConfigSources): { config: Config; problems: readonly string[] } {
  const problems: string[] = [];
  const file = readFileSettings(sources, problems);
  problems.push(...unknownVariables(sources.env));
  const config: Partial<Record<OptionName, unknown>> = {};
  for (const name of OPTION_NAMES) {
    const option = OPTIONS[name];
    const initial = option.default === null ? null : option.type.parse(option.default);
    config[name] = initial?.ok === true ? initial.value : null;
    const setting = settingOf(name, { ...sources, file });
    if (setting === undefined) continue;
    const parsed = option.type.parse(setting.text);
    if (parsed.ok) config[name] = parsed.value;
    else problems.push(`${setting.where}: ${parsed.reason}`);
  }
  problems.push(...contradictions(config));
  // Names and texts of the file stand in them as they are.
  return { config: config as Config, problems: problems.map((one) => harmless(one).slice(0, MAX_LENGTH)) };
}

function settingOf(
  name: OptionName,
  sources: ConfigSources & { file: ReadonlyMap<string, Setting> },
): Setting | undefined {
  const flag = sources.flags.get(name);
  if (flag !== undefined) return { text: flag, where: `--${name}` };
  const variable = sources.env[variableOf(name)];
  if (variable !== undefined) return { text: variable, where: variableOf(name) };
  const setting = sources.file.get(name);
  if (setting !== undefined) return setting;
  const { alias } = OPTIONS[name];
  const borrowed = alias === undefined ? undefined : sources.env[alias];
  return alias === undefined || borrowed === undefined || borrowed === ""
    ? undefined
    : { text: borrowed, where: alias };
}

function readFileSettings(sources: ConfigSources, problems: string[]): ReadonlyMap<string, Setting> {
  const settings = new Map<string, Setting>();
  const named = sources.flags.get("config") ?? sources.env["ROLLCALL_CONFIG"];
  const path = named ?? DEFAULT_CONFIG_FILE;
  try {
    const text = sources.readFile(path);
    if (text === null) {
      if (named !== undefined) problems.push(`${path}: there is no such file`);
      return settings;
    }
    const content = parseYaml(text, path) ?? {};
    if (typeof content !== "object" || Array.isArray(content))
      throw new Error(`${path}: not a mapping of options`);
    for (const [name, value] of Object.entries(content)) {
      if (problems.length > MAX_PROBLEMS) throw new Error(`${path}: and so on`);
      const where = `${path}: ${name}`;
      if (!OPTION_NAMES.some((known) => known === name)) problems.push(`${where}: ${unknown(name)}`);
      else if (value === null) problems.push(`${where}: it has no value`);
      else if (typeof value === "object" && !isListOfScalars(value))
        problems.push(`${where}: not a plain value`);
      else settings.set(name, { text: asText(value), where });
    }
  } catch (error) {
    problems.push(messageOf(error));
  }
  return settings;
}

const isListOfScalars = (value: object): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === "string" || typeof one === "number");

/** YAML reads `on` and `off` as text but `true` as a boolean; both mean the same here. */
const asText = (value: unknown): string => (Array.isArray(value) ? value.join(",") : String(value));

function unknownVariables(env: ConfigSources["env"]): readonly string[] {
  const known = [...OPTION_NAMES.map(variableOf), "ROLLCALL_CONFIG"];
  return Object.keys(env)
    .filter((name) => name.startsWith("ROLLCALL_") && !known.includes(name))
    .map((name) => `${name}: no such variable${hint(suggest(name, known))}`);
}

/** What to say of an option that does not exist. */
export const unknown = (name: string): string => `no such option${hint(suggest(name, OPTION_NAMES))}`;

const hint = (meant: string | undefined): string => (meant === undefined ? "" : `; did you mean ${meant}?`);

function contradictions(config: Partial<Record<OptionName, unknown>>): readonly string[] {
  const found: string[] = [];
  const isSet = (name: OptionName): boolean => config[name] !== null && config[name] !== undefined;
  const needs = (name: OptionName, other: OptionName): void => {
    if (isSet(name) && !isSet(other)) found.push(`${name} needs ${other}`);
  };
  needs("etcd-username", "etcd-password-file");
  needs("etcd-password-file", "etcd-username");
  needs("etcd-cert", "etcd-key");
  needs("etcd-key", "etcd-cert");
  needs("http-cert", "http-key");
  needs("http-key", "http-cert");
  if (isSet("haproxy-pid") && isSet("haproxy-pid-file")) {
    found.push("haproxy-pid and haproxy-pid-file say the same thing: set one of them");
  }
  if (config["etcd-endpoints"] === null && config.docker === "off" && !isSet("static-file")) {
    found.push(
      "there is no source of servers: etcd-endpoints and docker are off, and there is no static-file",
    );
  }
  return found;
}
