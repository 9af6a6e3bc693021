import { parseArgs } from "node:util";
import type { Command } from "./commands/command.ts";
import { unknown } from "./config.ts";
import { suggest } from "./core/suggest.ts";
import { OPTION_NAMES } from "./options.ts";

/** What was typed. */
export type Invocation =
  | { readonly kind: "help"; readonly command: Command | null }
  | {
      readonly kind: "usage";
      readonly problems: readonly string[];
      /** Whose usage it was; null = there is no such command. */
      readonly command: Command | null;
    }
  | {
      readonly kind: "command";
      readonly command: Command;
      /** What stands behind its name, as its `arguments` want it. */
      readonly args: readonly string[];
      /** Flags that are options of Rollcall, and `config`. */
      readonly options: ReadonlyMap<string, string>;
      /** Flags of this command alone. */
      readonly flags: ReadonlyMap<string, string>;
    };

/** Reads the arguments after the program's name; finds every problem at once. */
export function readCommandLine(args: readonly string[], commands: readonly Command[]): Invocation {
  const [first, ...rest] = args;
  if (first === undefined || first === "help" || first === "--help" || first === "-h") {
    return { kind: "help", command: commands.find((one) => one.name === rest[0]) ?? null };
  }
  const name = first === "--version" ? "version" : first;
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const names = commands.map((one) => one.name);
    const meant = suggest(name, names);
    const hint = meant === undefined ? `commands are ${names.join(", ")}` : `did you mean ${meant}?`;
    return { kind: "usage", problems: [`${name}: no such command; ${hint}`], command: null };
  }
  return readFlags(rest, command);
}

function readFlags(args: readonly string[], command: Command): Invocation {
  const isSwitch = (name: string): boolean => command.flags[name]?.value === null;
  const names = ["config", ...OPTION_NAMES, ...Object.keys(command.flags)];
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(names.map((name) => [name, { type: isSwitch(name) ? "boolean" : "string" }])),
  });
  const [options, flags, problems] = [new Map<string, string>(), new Map<string, string>(), [] as string[]];
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    if (token.name === "help" || token.name === "h") return { kind: "help", command };
    const value = token.value ?? (isSwitch(token.name) ? "true" : undefined);
    if (!names.includes(token.name)) problems.push(`${token.rawName}: ${unknown(token.name)}`);
    else if (value === undefined) problems.push(`${token.rawName}: it needs a value`);
    else if (token.name in command.flags) flags.set(token.name, value);
    else options.set(token.name, value);
  }
  for (const [name, value] of flags) {
    const parsed = command.flags[name]?.parse?.(value);
    if (parsed?.ok === false) problems.push(`--${name}: ${parsed.reason}`);
  }
  // Behind an unknown flag there is probably its value, and not an argument.
  if (problems.length === 0) problems.push(...argumentProblems(words, command));
  if (problems.length > 0) return { kind: "usage", problems, command };
  return { kind: "command", command, args: words, options, flags };
}

function argumentProblems(words: readonly string[], command: Command): readonly string[] {
  const wanted = command.arguments ?? [];
  const missing = wanted.filter(({ count }, at) => count === "one" && at >= words.length);
  if (missing.length > 0) return missing.map(({ name }) => `${name} is missing`);
  return words.flatMap((word, at) => {
    const last = wanted.at(-1);
    const argument = wanted[at] ?? (last?.count === "repeated" ? last : undefined);
    if (argument === undefined) return [`${word}: ${command.name} takes no such argument`];
    const parsed = argument.parse?.(word);
    return parsed?.ok === false ? [`${argument.name}: ${parsed.reason}`] : [];
  });
}
