import type { Command } from "./commands/command.ts";
import { DEFAULT_CONFIG_FILE } from "./config.ts";
import { OPTION_NAMES, OPTIONS } from "./options.ts";

/** The text of `rollcall --help`. */
export function generalHelp(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`);
  return `Rollcall keeps HAProxy's servers as etcd and Docker say, and proves that HAProxy runs them.

Usage: rollcall COMMAND [--OPTION VALUE ...]

Commands:
${rows.join("\n")}
  help      this text; rollcall COMMAND --help tells more

Exit codes: 0 good, 1 failed, 2 differs, 64 wrong usage, 78 wrong configuration.
`;
}

/** The text of `rollcall COMMAND --help`. */
export function commandHelp(command: Command): string {
  const flags = Object.entries(command.flags).map(([name, flag]) =>
    row(`--${name}${flag.value === null ? "" : ` ${flag.value}`}`, flag.help),
  );
  const options = OPTION_NAMES.map((name) => {
    const { type, help, default: initial } = OPTIONS[name];
    return row(`--${name} ${type.shown}`, initial === null ? help : `${help} [${initial}]`);
  });
  const wanted = (command.arguments ?? []).map(({ name, help }) => row(name, help));
  const parts = [
    `rollcall ${command.name} - ${command.summary}\n\n${command.description}`,
    `Usage: ${usageOf(command)} [--OPTION VALUE ...]${wanted.length === 0 ? "" : `\n${wanted.join("\n")}`}`,
    flags.length === 0 ? "" : `Flags:\n${flags.join("\n")}`,
    command.needsConfig
      ? `Options (flag --x-y = variable ROLLCALL_X_Y = "x-y:" in rollcall.yaml; flags win, then variables):\n${[
          row("--config PATH", `the file rollcall.yaml [${DEFAULT_CONFIG_FILE}, if it is there]`),
          ...options,
        ].join("\n")}`
      : "",
    command.examples.length === 0
      ? ""
      : `Examples:\n${command.examples.map((line) => `  ${line}`).join("\n")}`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

const BRACKETS = { one: ["", ""], optional: ["[", "]"], repeated: ["[", " ...]"] } as const;

/** `rollcall add SERVER HOST:PORT [WORD ...]`; flags are not in it. */
export function usageOf({ name, arguments: wanted = [] }: Command): string {
  const words = wanted.map((one) => BRACKETS[one.count].join(one.name));
  return ["rollcall", name, ...words].join(" ");
}

const COLUMN = 34;
/** A flag that is longer than its column has its help in the next line. */
const row = (flag: string, help: string): string =>
  flag.length + 3 > COLUMN
    ? `  ${flag}\n${" ".repeat(COLUMN)}${help}`
    : `  ${flag.padEnd(COLUMN - 2)}${help}`;
