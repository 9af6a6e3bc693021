import { buildRoster } from "../core/roster.ts";
import { haproxyOf, fileSourceOf, rendererOf, sourcesOf } from "../parts.ts";
import { pictures } from "../picture.ts";
import { printDiff } from "../print-diff.ts";
import { type Command, type Context, EXIT } from "./command.ts";

async function execute(context: Context): Promise<number> {
  const { config, flags, print, signal } = context;
  const from = flags.get("from");
  const sources = from === undefined ? await sourcesOf(context) : [await fileSourceOf(from, config)];
  const snapshots = await pictures(sources, { timeoutMs: config["start-timeout"], signal });
  const roster = buildRoster(snapshots, { defaultBackend: config["default-backend"] });
  const candidate = await rendererOf(context).render(roster);
  for (const { origin, reason } of roster.quarantined) {
    context.log.warn({ source: origin.source, entry: origin.id, reason }, "quarantined");
  }
  const haproxy = haproxyOf(context);
  const live = await haproxy.liveText();
  const path = config["haproxy-config"];
  if (flags.has("diff"))
    await printDiff({ from: live ?? "", to: candidate.text, names: [path, `${path} (wanted)`], print });
  else if (!flags.has("write")) print(candidate.text);
  if (flags.has("write") && live !== candidate.text) await haproxy.write(candidate);
  return flags.has("diff") && live !== candidate.text ? EXIT.differs : EXIT.good;
}

export const render: Command = {
  name: "render",
  summary: "print the configuration that is wanted now, compare it with the live file, or write it",
  description: `Reads every source once and renders the template. Without flags the text goes to standard output.
With --write it is checked with "haproxy -c" and replaces the live file; HAProxy is not reloaded.
With --diff the exit code is 0 when the live file is the same and 2 when it differs.`,
  flags: {
    diff: { value: null, help: "print the differences from the live file" },
    write: { value: null, help: "check the text and replace the live file with it" },
    from: {
      value: "FILE",
      help: "read the servers from this YAML file, as for static-file, and from nowhere else",
    },
  },
  examples: [
    "rollcall render --diff",
    "rollcall render --from servers.yaml --template my.cfg.eta",
    "rollcall render --write --from /dev/null",
  ],
  needsConfig: true,
  run: execute,
};
