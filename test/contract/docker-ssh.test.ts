import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { checkDocker } from "../../src/discovery/check-docker.ts";
import { dockerSourceLab, WITHOUT_NETWORK, type DockerSourceLab } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { runSource } from "../support/run-source.ts";
import { startSshServer, type SshServer } from "../support/ssh-server.ts";

let ssh: SshServer;
let docker: DockerSourceLab;
let host = "";

beforeAll(async () => {
  ssh = await startSshServer();
  docker = await dockerSourceLab();
  host = `ssh://${ssh.address}${docker.lab.dockerHost.replace("unix://", "")}`;
});
beforeEach(() => {
  vi.stubEnv("PATH", `${ssh.bin}:${process.env["PATH"]}`);
});
afterAll(async () => {
  await docker?.[Symbol.asyncDispose]();
  await ssh?.[Symbol.asyncDispose]();
});

/** A login takes a while on a machine that has much else to do. */
const SLOW = { pingMs: 20_000, eventsMs: 20_000, listMs: 20_000, inspectMs: 20_000 };
const slow = { timeoutMs: 30_000 };

describe("a run of the source", () => {
  test("follows the engine over few logins, and leaves no program behind", async () => {
    const warnings: Error[] = [];
    process.on("warning", (warning) => warnings.push(warning));
    const before = ssh.logins();
    const source = docker.source({ host, pace: { ...SLOW, relistMs: 50, pingEveryMs: 50 } });
    await using run = runSource(source);
    await eventually(() => expect(run.names()).toEqual([]), slow);
    const one = await docker.serve("one", WITHOUT_NETWORK);
    await eventually(() => expect(run.names()).toEqual(["one"]), slow);
    await one.kill("HUP");
    await one.stop();
    await eventually(() => expect(run.names()).toEqual([]), slow);
    await eventually(() => expect(run.snapshots.length).toBeGreaterThan(20), slow);
    expect(ssh.logins() - before).toBeLessThanOrEqual(8);
    expect(warnings).toEqual([]);
    expect(ssh.clients().length).toBeGreaterThan(0);
    run.stop();
    expect(await run.ended).toBeNull();
    await eventually(() => expect(ssh.clients()).toEqual([]), slow);
  });

  test("ends when a connection breaks, and leaves no program behind", async () => {
    await using run = runSource(docker.source({ host, pace: SLOW }));
    await eventually(() => expect(run.names()).toEqual([]), slow);
    for (const pid of ssh.clients()) process.kill(pid, "SIGKILL");
    expect((await run.ended)?.message).toMatch(/ssh|closed the connection|aborted/);
    await eventually(() => expect(ssh.clients()).toEqual([]), slow);
  });
});

describe("the reason is", () => {
  /** Why an engine cannot be used. */
  async function reasonOf(at: string): Promise<string> {
    const report = await checkDocker({ connection: { host: at }, signal: AbortSignal.timeout(30_000) });
    return report.ok ? "it can be used" : report.reason;
  }
  const untilReason = (at: string, reason: RegExp): Promise<void> =>
    eventually(async () => expect(await reasonOf(at)).toMatch(reason), { timeoutMs: 60_000 });

  test("a host key that is not known", async () => {
    await ssh.trust(false);
    await untilReason(
      host,
      /^ssh does not trust the host key of ssh:\/\/.*put it into ~\/\.ssh\/known_hosts/,
    );
    await ssh.trust(true);
    await untilReason(host, /^it can be used$/);
  });

  test("a key that is not let in", async () => {
    await ssh.letIn(false);
    await untilReason(host, /does not let us in: .*: .*Permission denied \(publickey/);
    await ssh.letIn(true);
    await untilReason(host, /^it can be used$/);
  });

  test("no engine there", async () => {
    await untilReason(
      `ssh://${ssh.address}/nowhere.sock`,
      /is reached, but not its Docker engine: does it run/,
    );
  });

  test("no ssh server there", async () => {
    await untilReason("ssh://127.0.0.1:1", /^ssh to ssh:\/\/127\.0\.0\.1:1 failed: .*Connection refused/);
  });

  test("no ssh program here", async () => {
    vi.stubEnv("PATH", join(ssh.bin, "nowhere"));
    await untilReason(host, /^DOCKER_HOST with ssh:\/\/ needs the ssh program/);
  });
});
