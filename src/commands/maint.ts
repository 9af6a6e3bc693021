import { changeStore } from "../change-store.ts";
import { overrideServer } from "../core/override-server.ts";
import { ANYWAY_FLAG, JSON_FLAG, SERVER, serverOf } from "../server-argument.ts";
import type { Command } from "./command.ts";

export const maint: Command = {
  name: "maint",
  summary: "put a server into maintenance: no requests, no health checks",
  description: `Lays an override over a server, whoever registered it, like "rollcall drain": HAProxy sends it nothing and does not
check it any more. Requests that run finish. The override stays until "rollcall ready SERVER" removes it.`,
  arguments: [SERVER],
  flags: { anyway: ANYWAY_FLAG, json: JSON_FLAG },
  examples: ["rollcall maint web1", "rollcall maint api/api1"],
  needsConfig: true,
  run: (context) => {
    const [id, anyway] = [serverOf(context), context.flags.has("anyway")];
    return changeStore(context, (view) => overrideServer({ id, change: { state: "maint" }, anyway, view }));
  },
};
