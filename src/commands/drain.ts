import { changeStore } from "../change-store.ts";
import { overrideServer } from "../core/override-server.ts";
import { ANYWAY_FLAG, JSON_FLAG, SERVER, serverOf } from "../server-argument.ts";
import type { Command } from "./command.ts";

export const drain: Command = {
  name: "drain",
  summary: "give a server no new requests; those that run finish",
  description: `Lays an override over a server, whoever registered it: it takes no new requests, and finishes those that run. The
override stays, also when the server goes and comes back, until "rollcall ready SERVER" removes it. A weight that was
laid over the server stays beside it. A server that is not in etcd may be one that a load balancer finds over a Docker
socket or in its static file: the override is written, and said so, unless etcd has a server with a name like it.`,
  arguments: [SERVER],
  flags: { anyway: ANYWAY_FLAG, json: JSON_FLAG },
  examples: ["rollcall drain web1", "rollcall drain api/api1"],
  needsConfig: true,
  run: (context) => {
    const [id, anyway] = [serverOf(context), context.flags.has("anyway")];
    return changeStore(context, (view) => overrideServer({ id, change: { state: "drain" }, anyway, view }));
  },
};
