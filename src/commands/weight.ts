import { changeStore } from "../change-store.ts";
import { overrideServer } from "../core/override-server.ts";
import { parseWeight } from "../core/server-fields.ts";
import { ANYWAY_FLAG, JSON_FLAG, SERVER, serverOf } from "../server-argument.ts";
import type { Command, Context } from "./command.ts";

function execute(context: Context): Promise<number> {
  const [id, anyway] = [serverOf(context), context.flags.has("anyway")];
  const change = { weight: Number(context.args[1]) };
  return changeStore(context, (view) => overrideServer({ id, change, anyway, view }));
}

export const weight: Command = {
  name: "weight",
  summary: "lay another weight over a server",
  description: `Lays an override over a server, whoever registered it: its share of the new requests beside the other servers of its
backend. A server that is in drain or maint stays so. The override stays until "rollcall ready SERVER" removes it.`,
  arguments: [
    SERVER,
    { name: "N", help: "0 to 256; 0 takes no new requests", count: "one", parse: parseWeight },
  ],
  flags: { anyway: ANYWAY_FLAG, json: JSON_FLAG },
  examples: ["rollcall weight web1 10", "rollcall weight api/api1 0"],
  needsConfig: true,
  run: execute,
};
