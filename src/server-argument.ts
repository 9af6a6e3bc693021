import { type Argument, CommandError, type Context, EXIT, type Flag } from "./commands/command.ts";
import type { ServerId } from "./core/registry-keys.ts";
import { parseServerName } from "./core/server-name.ts";

/** The server that an operator's command is about. */
export const SERVER: Argument = {
  name: "SERVER",
  help: "NAME for a server of the default backend, BACKEND/NAME for any other",
  count: "one",
  // Which backend is the default one does not matter for its form.
  parse: (text) => parseServerName(text, "default"),
};

/** @throws CommandError when it is none. */
export function serverOf({ args: [text = ""], config }: Context): ServerId {
  const id = parseServerName(text, config["default-backend"]);
  if (!id.ok) throw new CommandError(`${SERVER.name}: ${id.reason}`, EXIT.usage);
  return id.value;
}

/** Flags that several of the operator's commands have. */
export const JSON_FLAG: Flag = { value: null, help: "as JSON: {writes: [{key, value, revision}], notes}" };
export const ANYWAY_FLAG: Flag = {
  value: null,
  help: "write it also if etcd has no such server, but one with a name like it",
};
