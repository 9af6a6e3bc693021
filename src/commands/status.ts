import { askDaemon } from "../ask-daemon.ts";
import { quote } from "../core/address.ts";
import { accept, refuse, type Result } from "../core/result.ts";
import { agentStatusText } from "../observe/agent-status-text.ts";
import { isAgentStatus } from "../observe/ask-status.ts";
import { statusText } from "../observe/status-text.ts";
import { type Command, type Context, EXIT } from "./command.ts";

const DEFAULT_LAST = "10";

async function execute({ config, flags, print, signal }: Context): Promise<number> {
  const { url, status, text } = await askDaemon({ config, url: addressOf(flags.get("url")), signal });
  const last = Number(flags.get("last") ?? DEFAULT_LAST);
  const everyServer = flags.has("servers");
  const shown = isAgentStatus(status)
    ? agentStatusText(status, { url, everyServer })
    : statusText(status, { url, last, everyServer });
  print(flags.has("json") ? text : shown);
  return status.ready ? EXIT.good : EXIT.failed;
}

/** Null = it was not given. */
function addressOf(given: string | undefined): string | null {
  const url = given === undefined ? null : parseUrl(given);
  return url?.ok === true ? url.value : null;
}

function parseUrl(given: string): Result<string> {
  // First of all, since it must not be repeated.
  if (given.includes("@")) return refuse("a password does not belong into a URL");
  const url = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    return refuse(`${quote(given)} is not a URL like http://127.0.0.1:8405`);
  }
  return accept(`${url.origin}${url.pathname.replace(/\/$/, "")}`);
}

const parseLast = (given: string): Result<number> =>
  /^(?:[1-9][0-9]?|100)$/.test(given)
    ? accept(Number(given))
    : refuse(`${quote(given)} is not a number from 1 to 100`);

export const status: Command = {
  name: "status",
  summary: "ask the daemon, or an agent, how it is doing and how the last changes went",
  description: `Asks a running daemon, at the address of its option http (flag --http, ROLLCALL_HTTP, rollcall.yaml).
Shows whether HAProxy is proven to run what is wanted and why not, the sources, backends and refused entries; and of
each of the last changes when it was, whether it went over the runtime socket or by a reload, how many milliseconds
each stage took, and what was done, or why a reload was needed, or why it failed. The number of a pass is that of
the log. Of an agent (rollcall register) it shows what is registered. It changes nothing. The token of http-token-file is
sent along, also to --url. Exit code 0 = ready, 1 = not ready, or it could not be asked.`,
  flags: {
    url: {
      value: "URL",
      help: "ask the daemon at this address [http://127.0.0.1:8405, or as http says]",
      parse: parseUrl,
    },
    last: { value: "N", help: `how many changes, 1 to 100 [${DEFAULT_LAST}]`, parse: parseLast },
    servers: { value: null, help: "show all servers even if there are many" },
    json: { value: null, help: "the daemon's own JSON, as /api/status gives it" },
  },
  examples: [
    "rollcall status",
    "rollcall status --servers --last 100",
    "rollcall status --url https://lb2:8405 --http-token-file lb2.token --http-ca ca.pem",
    "rollcall status --json | jq '.changes[] | select(.way == \"reload\") | .reasons'",
    "watch -n 1 rollcall status",
  ],
  needsConfig: false,
  run: execute,
};
