import { format } from "prettier";
import { COMMANDS } from "../src/all-commands.ts";
import type { Command } from "../src/commands/command.ts";
import { usageOf } from "../src/help.ts";

const INTRODUCTION = `
<!-- Written by scripts/write-reference.ts from src/commands. Change those, then: npm run docs -->

# Commands

\`rollcall COMMAND\`, with flags in any place behind it. All commands know \`--help\`, and take every [option](options.md) as a flag. What was asked for goes to standard output, what went wrong to standard error.

| exit code | meaning |
| --- | --- |
| 0 | good |
| 1 | failed, or refused: the message says what to do |
| 2 | \`render --diff\`: the live file differs |
| 64 | wrong usage: nothing was done |
| 78 | wrong configuration: nothing was done |

`;

/** The text of docs/reference/commands.md. */
export async function commandsReference(): Promise<string> {
  const text = INTRODUCTION.trimStart() + COMMANDS.map(commandPart).join("\n\n");
  return format(`${text}\n`, { parser: "markdown", printWidth: 110 });
}

function commandPart(command: Command): string {
  const { name, description, flags, examples, arguments: wanted = [] } = command;
  const words = [
    ...wanted.map((argument) => `- \`${argument.name}\`: ${argument.help}`),
    ...Object.entries(flags).map(
      ([flag, { value, help }]) => `- \`--${flag}${value === null ? "" : ` ${value}`}\`: ${help}`,
    ),
  ];
  const parts = [
    `## rollcall ${name}`,
    `\`${usageOf(command)}\``,
    description.replaceAll("\n", " "),
    words.join("\n"),
    `\`\`\`sh\n${examples.join("\n")}\n\`\`\``,
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}
