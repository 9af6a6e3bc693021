import { changeStore } from "../change-store.ts";
import { restoreServer } from "../core/restore-server.ts";
import { JSON_FLAG, SERVER, serverOf } from "../server-argument.ts";
import type { Command } from "./command.ts";

export const ready: Command = {
  name: "ready",
  summary: "end a drain, a maintenance or another weight: the server is as it was registered",
  description: `Deletes a server's override, all of it: its state and its weight are again what its own value or label says. Says so
where that is not ready. Exit code 1 when there is no override and the server is not ready by its own value.`,
  arguments: [SERVER],
  flags: { json: JSON_FLAG },
  examples: ["rollcall ready web1", "rollcall ready api/api1"],
  needsConfig: true,
  run: (context) => {
    const id = serverOf(context);
    return changeStore(context, (view) => restoreServer({ id, view }));
  },
};
