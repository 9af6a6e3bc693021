import { readFile } from "node:fs/promises";
import { quote } from "../core/address.ts";
import { accept, refuse, type Result } from "../core/result.ts";
import { historyEntryText, historyText } from "../observe/history-text.ts";
import { openState } from "../open-state.ts";
import { printDiff } from "../print-diff.ts";
import { readHistory } from "../state/history.ts";
import { type Command, CommandError, type Context, EXIT } from "./command.ts";

const DEFAULT_LAST = "20";

async function execute(context: Context): Promise<number> {
  const { args, flags, print } = context;
  const history = await readHistory(await openState(context));
  const [number] = args;
  if (number === undefined) {
    const few = history.entries().slice(0, Number(flags.get("last") ?? DEFAULT_LAST));
    print(flags.has("json") ? JSON.stringify(few) : historyText(few));
    return EXIT.good;
  }
  const entry = history.entries().find((one) => one.number === Number(number));
  if (entry === undefined) throw new CommandError(`the history has no entry ${number}`, EXIT.failed);
  if (!flags.has("text") && !flags.has("diff")) {
    print(flags.has("json") ? JSON.stringify(entry) : historyEntryText(entry));
    return EXIT.good;
  }
  const text = await history.text(entry.number);
  if (text === null) throw new CommandError(`the text of entry ${number} cannot be read`, EXIT.failed);
  if (flags.has("text")) {
    print(text);
    return EXIT.good;
  }
  const path = context.config["haproxy-config"];
  const live = await readFile(path, "utf8");
  await printDiff({ from: live, to: text, names: [path, `entry ${number}`], print });
  return live === text ? EXIT.good : EXIT.differs;
}

/** An entry's number. */
export const parseEntry = (text: string): Result<number> =>
  /^[1-9][0-9]{0,14}$/.test(text)
    ? accept(Number(text))
    : refuse(`${quote(text)} is not the number of an entry: "rollcall history" lists them`);

export const history: Command = {
  name: "history",
  summary: "the last configurations that HAProxy was proven to run, and what led to them",
  description: `Reads the daemon's state folder. Without an argument it lists the last configurations, the newest first: when HAProxy
was proven to run it, how many changes it holds, how many of them were reloads, and which servers came, went or changed
by whose key or container. Changes within a second share an entry; the last 100 entries are kept.
With a number it tells all of that entry; --text prints its haproxy.cfg, --diff what rolling back to it would change
(exit code 2 when it would).`,
  arguments: [{ name: "N", help: "the entry's number", count: "optional", parse: parseEntry }],
  flags: {
    last: { value: "COUNT", help: `how many entries are listed [${DEFAULT_LAST}]`, parse: parseEntry },
    text: { value: null, help: "print the entry's haproxy.cfg" },
    diff: { value: null, help: "print the differences from the live file to the entry" },
    json: { value: null, help: "as JSON" },
  },
  examples: ["rollcall history", "rollcall history 17", "rollcall history 17 --diff"],
  needsConfig: true,
  run: execute,
};
