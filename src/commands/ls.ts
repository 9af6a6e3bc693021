import { readStore } from "../change-store.ts";
import { parseName } from "../core/names.ts";
import { backendView } from "../core/backend-view.ts";
import { registryJson } from "../observe/registry-json.ts";
import { registryText } from "../observe/registry-text.ts";
import { type Command, CommandError, type Context, EXIT } from "./command.ts";

async function execute(context: Context): Promise<number> {
  const { args, flags, print } = context;
  const all = await readStore(context);
  const [backend] = args;
  const view = backend === undefined ? { ok: true as const, value: all } : backendView(all, backend);
  if (!view.ok) throw new CommandError(view.reason, EXIT.failed);
  print(flags.has("json") ? JSON.stringify(registryJson(view.value)) : registryText(view.value));
  return EXIT.good;
}

export const ls: Command = {
  name: "ls",
  summary: "list the servers in etcd, who registered them, and what is refused",
  description: `Reads all servers, overrides and owners in etcd at one revision. Shows of each server what its value says, its state
with the operator's override laid over it, and who registered it: an operator, the agent of a host, or another program.
Below it: what is quarantined and why, overrides of servers that are not in etcd, and the hosts that have an agent.
Servers that a load balancer finds over a Docker socket or in its static file are not in etcd: see rollcall status.`,
  arguments: [
    {
      name: "BACKEND",
      help: "only what belongs to this backend",
      count: "optional",
      parse: (text) => parseName("backend", text),
    },
  ],
  flags: { json: { value: null, help: "as JSON: {revision, servers, quarantined, unusedOverrides, hosts}" } },
  examples: [
    "rollcall ls",
    "rollcall ls api",
    "rollcall ls --json | jq -r '.servers[] | select(.override) | .key'",
  ],
  needsConfig: true,
  run: execute,
};
