import { openState } from "../open-state.ts";
import { serverOf } from "../server-argument.ts";
import { orderRelease } from "../state/orders.ts";
import { parseServerName } from "../core/server-name.ts";
import { type Command, CommandError, type Context, EXIT } from "./command.ts";

async function execute(context: Context): Promise<number> {
  const { args, flags, print } = context;
  const isAll = flags.has("all");
  if (isAll === args.length > 0) throw new CommandError("name a server, or --all, and not both", EXIT.usage);
  const id = isAll ? null : serverOf(context);
  const server = id === null ? null : `${id.backend}/${id.name}`;
  await orderRelease(await openState(context), { server, nowMs: Date.now() });
  print(server === null ? "all held servers are let go" : `${server} is let go, if it is held`);
  return EXIT.good;
}

export const release: Command = {
  name: "release",
  summary: "let servers go that are held though they vanished from their source",
  description: `Tells the running daemon, through its state folder, no longer to serve a server that has vanished from etcd and is held
because HAProxy's check sees it up. "rollcall status" lists them. A server that is registered again is served again.`,
  arguments: [
    {
      name: "SERVER",
      help: "NAME for a server of the default backend, BACKEND/NAME for any other",
      count: "optional",
      parse: (text) => parseServerName(text, "default"),
    },
  ],
  flags: { all: { value: null, help: "all that are held" } },
  examples: ["rollcall release web1", "rollcall release --all"],
  needsConfig: true,
  run: execute,
};
