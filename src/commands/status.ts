import { quote } from "../core/address.ts";
import { accept, refuse, type Result } from "../core/result.ts";
import { hostPort } from "../core/server.ts";
import { agentStatusText } from "../observe/agent-status-text.ts";
import { askStatus, isAgentStatus } from "../observe/ask-status.ts";
import { statusText } from "../observe/status-text.ts";
import type { Config } from "../options.ts";
import { type Command, type Context, EXIT } from "./command.ts";

const DEFAULT_LAST = "10";

async function execute({ config, flags, print, signal }: Context): Promise<number> {
  const url = addressOf(flags.get("url"), config.http);
  const { status, text } = await askStatus({ url, signal });
  const last = Number(flags.get("last") ?? DEFAULT_LAST);
  const everyServer = flags.has("servers");
  const shown = isAgentStatus(status)
    ? agentStatusText(status, { url, everyServer })
    : statusText(status, { url, last, everyServer });
  print(flags.has("json") ? text : shown);
  return status.ready ? EXIT.good : EXIT.failed;
}

/** @throws Error when the daemon has no address. */
function addressOf(given: string | undefined, http: Config["http"]): string {
  const url = given === undefined ? null : parseUrl(given);
  if (url?.ok === true) return url.value;
  if (http === null) {
    throw new Error(
      "the option http is off, so a daemon with these options cannot be asked; set it to an address and start the daemon anew, or name another daemon with --url",
    );
  }
  // One that listens on all addresses is asked on this machine.
  const address = http.host === "::" || http.host === "0.0.0.0" ? "127.0.0.1" : http.host;
  return `http://${hostPort({ address, port: http.port })}`;
}

function parseUrl(given: string): Result<string> {
  const url = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") {
    return refuse(`${quote(given)} is not a URL like http://127.0.0.1:8405`);
  }
  if (url.username !== "" || url.password !== "") return refuse("a password does not belong into a URL");
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
the log. Of an agent (rollcall register) it shows what is registered. It changes nothing. Exit code 0 = ready, 1 = not ready, or it could not be asked.`,
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
    "rollcall status --url http://lb2:8405",
    "rollcall status --json | jq '.changes[] | select(.way == \"reload\") | .reasons'",
    "watch -n 1 rollcall status",
  ],
  needsConfig: false,
  run: execute,
};
