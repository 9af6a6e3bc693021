import { spawn } from "node:child_process";
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import { SourceError } from "../lib/errors.ts";
import type { DockerEndpoint } from "./docker-endpoint.ts";

type SshEndpoint = Extract<DockerEndpoint, { kind: "ssh" }>;

/**
 * Connects to an engine as the `docker` command does: each connection is an `ssh` program that runs
 * `docker system dial-stdio` on the engine's host. Keys, host keys and `~/.ssh/config` are ssh's own business; it never
 * asks anything, and refuses a host that it does not know. A connection is kept for further calls, since each costs a
 * login; a program is ended together with its connection.
 */
export function sshAgent(endpoint: SshEndpoint): Agent {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 2 });
  return Object.assign(agent, { createConnection: () => connection(endpoint) });
}

function connection(endpoint: SshEndpoint): Duplex {
  const child = spawn("ssh", sshArguments(endpoint), { stdio: "pipe" });
  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    // Why ssh does not take any more is told by its end.
    write: (chunk: Buffer, _encoding, done) => void child.stdin.write(chunk, () => done()),
    final: (done) => void child.stdin.end(done),
    destroy: (error, done) => {
      child.kill("SIGKILL");
      done(error);
    },
  });
  let said = "";
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-1000)));
  child.on("error", (cause) => {
    stream.destroy(
      new SourceError("DOCKER_HOST with ssh:// needs the ssh program (openssh-client)", { cause }),
    );
  });
  child.on("close", (code) => {
    if (code === 0) stream.push(null);
    else stream.destroy(new SourceError(`${explain(said, endpoint)}: ${lastLine(said)}`));
  });
  // What Node calls on a network socket when it keeps one and takes it again.
  const nothing = (): Duplex => stream;
  return Object.assign(stream, { ref: nothing, unref: nothing, setKeepAlive: nothing, setTimeout: nothing });
}

function sshArguments({ host, port, user, socket }: SshEndpoint): readonly string[] {
  const settings = ["BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10", "LogLevel=ERROR"];
  const engine = socket === null ? [] : ["--host", `unix://${socket}`];
  return [
    "-T",
    ...settings.flatMap((setting) => ["-o", setting]),
    ...(user === null ? [] : ["-l", user]),
    ...(port === null ? [] : ["-p", String(port)]),
    "--",
    host,
    "docker",
    ...engine,
    "system",
    "dial-stdio",
  ];
}

const REASONS: readonly (readonly [RegExp, (host: string) => string])[] = [
  [
    /Host key verification failed|host key is known|IDENTIFICATION HAS CHANGED/,
    (host) =>
      `ssh does not trust the host key of ${host}: compare it, and put it into ~/.ssh/known_hosts of the user that Rollcall runs as`,
  ],
  [
    /Permission denied \(/,
    (host) =>
      `${host} does not let us in: give the user that Rollcall runs as an ssh key without a passphrase that it accepts`,
  ],
  [
    /docker: (?:command )?not found/,
    (host) => `there is no docker program on ${host}, and it is what connects us to the engine there`,
  ],
  [
    /raw stream connection|docker daemon socket|Cannot connect to the Docker daemon/i,
    (host) =>
      `${host} is reached, but not its Docker engine: does it run, and is the user in its docker group?`,
  ],
];

function explain(said: string, { shown }: SshEndpoint): string {
  const found = REASONS.find(([pattern]) => pattern.test(said));
  return found?.[1](shown) ?? `ssh to ${shown} failed`;
}

const lastLine = (text: string): string =>
  text
    .split(/[\r\n]+/)
    .findLast((line) => line.trim() !== "")
    ?.replaceAll(/\p{Cc}/gu, "")
    .slice(0, 300) ?? "it ended without a word";
