import { changeStore } from "../change-store.ts";
import { removeServer } from "../core/remove-server.ts";
import { JSON_FLAG, SERVER } from "../server-argument.ts";
import type { Command } from "./command.ts";

export const rm: Command = {
  name: "rm",
  summary: "remove a server from etcd that no agent registered",
  description: `Deletes a server's key in etcd, and then its override if it has one: it would hold for the next server of that name.
HAProxy gives the server no new requests and lets those that run finish. To take it out more gently, drain it before.
A server that belongs to a host's agent is left alone: drain it, or stop its container.`,
  arguments: [
    {
      name: SERVER.name,
      help: `${SERVER.help}; also a refused key, by what stands behind the prefix`,
      count: "one",
    },
  ],
  flags: { json: JSON_FLAG },
  examples: ["rollcall rm web1", "rollcall rm api/api1"],
  needsConfig: true,
  run: (context) => changeStore(context, (view) => removeServer({ text: context.args[0] ?? "", view })),
};
