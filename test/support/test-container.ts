import { eventually } from "./eventually.ts";

/** A container of a test. Every call is a `docker` command and throws when that fails. */
export interface TestContainer {
  readonly id: string;
  /** Address on a network, such as "10.115.0.2"; of the first one when none is named. */
  ip(network?: string): Promise<string>;
  stop(seconds?: number): Promise<void>;
  kill(signal?: string): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void>;
  unpause(): Promise<void>;
  remove(): Promise<void>;
  connect(network: string): Promise<void>;
  disconnect(network: string): Promise<void>;
  rename(name: string): Promise<void>;
  /** "healthy", "unhealthy", "starting", or "none" without a health check. */
  health(): Promise<string>;
  untilHealthy(): Promise<void>;
  /** Sends a POST to the application: "/fail" and "/heal" switch its health. */
  post(path: string): Promise<void>;
  exec(...command: string[]): Promise<string>;
  logs(): Promise<string>;
}

/**
 * Controls a container that exists.
 * @param run Runs the `docker` command against its engine and resolves with what it prints.
 */
export function testContainer(run: (...args: string[]) => Promise<string>, id: string): TestContainer {
  const inspect = (format: string): Promise<string> => run("inspect", "-f", format, id);
  const act = async (...args: string[]): Promise<void> => void (await run(...args));
  const container: TestContainer = {
    id,
    async ip(network) {
      const addresses = await inspect(
        "{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{$v.IPAddress}}\n{{end}}",
      );
      const rows = addresses.split("\n").map((row) => row.split(" "));
      const found = rows.find(([name, ip]) => (network ?? name) === name && (ip ?? "") !== "")?.[1];
      if (found === undefined)
        throw new Error(`Container ${id} has no address on ${network ?? "any network"}.`);
      return found;
    },
    stop: (seconds = 10) => act("stop", "-t", String(seconds), id),
    kill: (signal = "KILL") => act("kill", "-s", signal, id),
    start: () => act("start", id),
    pause: () => act("pause", id),
    unpause: () => act("unpause", id),
    remove: () => act("rm", "-fv", id),
    connect: (network) => act("network", "connect", network, id),
    disconnect: (network) => act("network", "disconnect", network, id),
    rename: (name) => act("rename", id, name),
    health: () => inspect("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"),
    async untilHealthy() {
      await eventually(async () => {
        const health = await container.health();
        if (health !== "healthy") throw new Error(`container ${id.slice(0, 12)} is ${health}`);
      });
    },
    post: (path) =>
      act("exec", id, "sh", "-c", `wget -q -O - --post-data= http://127.0.0.1:\${PORT:-8000}${path}`),
    exec: (...command) => run("exec", id, ...command),
    logs: () => run("logs", id),
  };
  return container;
}
