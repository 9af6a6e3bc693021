import { parseArgs } from "node:util";
import type { Command } from "./commands/command.ts";
import { unknown } from "./config.ts";
import { suggest } from "./core/suggest.ts";
import { OPTION_NAMES } from "./options.ts";

/** What was typed. */
export type Invocation =
  | { readonly kind: "help"; readonly command: Command | null }
  | { readonly kind: "usage"; readonly problems: readonly string[] }
  | {
      readonly kind: "command";
      readonly command: Command;
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
    return { kind: "usage", problems: [`${name}: no such command; ${hint}`] };
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
  for (const token of tokens) {
    // After an unknown flag this is probably its value.
    if (token.kind === "positional" && problems.length === 0) {
      problems.push(`${token.value}: ${command.name} takes no such argument`);
    }
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
  return problems.length > 0 ? { kind: "usage", problems } : { kind: "command", command, options, flags };
}
