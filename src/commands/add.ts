import { changeStore } from "../change-store.ts";
import { addServer } from "../core/add-server.ts";
import { parseServerValue } from "../core/server-value.ts";
import { JSON_FLAG, SERVER, serverOf } from "../server-argument.ts";
import { type Command, CommandError, type Context, EXIT } from "./command.ts";

async function execute(context: Context): Promise<number> {
  const id = serverOf(context);
  const value = context.args.slice(1).join(" ").trim();
  const fields = parseServerValue(value);
  if (!fields.ok) throw new CommandError(fields.reason, EXIT.usage);
  const replace = context.flags.has("replace");
  return changeStore(context, (view) => addServer({ id, value, fields: fields.value, replace, view }));
}

export const add: Command = {
  name: "add",
  summary: "put a server into etcd",
  description: `Writes a server's key in etcd, where it stays until it is removed. What it says is checked as the load balancer
will check it, before anything is written. A server that is there already is left alone, unless --replace is given; one
that belongs to a host's agent is left alone in any case. Of several that add the same name at the same time, one wins.`,
  arguments: [
    SERVER,
    { name: "HOST:PORT", help: "where it listens; or the whole value as JSON", count: "one" },
    { name: "WORD", help: "weight=50, backup, check=/healthz, … as in a value in etcd", count: "repeated" },
  ],
  flags: {
    replace: { value: null, help: "write over a server that no agent registered" },
    json: JSON_FLAG,
  },
  examples: [
    "rollcall add web1 10.0.0.5:8000",
    "rollcall add api/api1 10.0.0.7:80 weight=50 check=/healthz",
    "rollcall add web1 10.0.0.6:8000 --replace",
  ],
  needsConfig: true,
  run: execute,
};
