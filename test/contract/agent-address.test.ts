import { afterAll, beforeAll, expect, test } from "vitest";
import type { Publishing } from "../../src/core/container.ts";
import { hostPort } from "../../src/core/server.ts";
import { routeToEtcd } from "../../src/registration/host-address.ts";
import { dockerSourceLab, type DockerSourceLab } from "../support/docker-source-lab.ts";
import { eventually } from "../support/eventually.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";

/** This machine's loopback stands for its address: what is published on all addresses is published there, too. */
const HERE: Publishing = {
  mode: "auto",
  given: null,
  route: { ok: true, value: { address: "127.0.0.1", to: "10.0.0.1" } },
};

let docker: DockerSourceLab;
let front = "";

beforeAll(async () => {
  docker = await dockerSourceLab();
  front = await docker.lab.network();
});
afterAll(() => docker[Symbol.asyncDispose]());

function follow(publishing: Publishing, selfId?: string): SourceRun {
  const settings = {
    source: "docker",
    labelPrefix: docker.prefix,
    enableByDefault: false,
    defaultBackend: "webserver",
    network: null,
    publishing,
  };
  return runSource(docker.source({ settings, selfId }));
}

/** Where a container's server is, or why it is not served. */
function placeOf(run: SourceRun, id: string): string | undefined {
  const last = run.snapshots.at(-1);
  const isIts = ({ origin }: { origin: { id: string } }): boolean => origin.id.startsWith(id.slice(0, 12));
  const server = last?.servers.find(isIts);
  if (server !== undefined) return hostPort(server);
  return [...(last?.waiting ?? []), ...(last?.quarantined ?? [])].find(isIts)?.reason;
}

test("what other hosts reach: a published port, the host's network, a network that is named; nothing else", async () => {
  const labels = docker.labels("app", { port: "8000" });
  const app = await docker.lab.run({ labels, networks: [front], flags: ["-p", "8000"] });
  const local = await docker.serve("local", { networks: [front], flags: ["-p", "127.0.0.1::8000"] });
  const inside = await docker.serve("inside", { networks: [front] });
  const named = await docker.serve("named", { networks: [front], labels: { network: front } });
  const onHost = await docker.serve("onhost", { networks: ["host"], labels: { port: "9000" } });
  await using run = follow(HERE);
  await eventually(async () => {
    expect(placeOf(run, app.id)).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(placeOf(run, local.id)).toContain('port 8000 is published for this host only ("127.0.0.1")');
    expect(placeOf(run, inside.id)).toContain(`no other host is known to reach network ${front}`);
    expect(placeOf(run, named.id)).toBe(`${await named.ip()}:8000`);
    expect(placeOf(run, onHost.id)).toBe("127.0.0.1:9000");
  });
  await eventually(async () => {
    const answer = await fetch(`http://${placeOf(run, app.id)}/healthz`, {
      signal: AbortSignal.timeout(2000),
    });
    expect(answer.status).toBe(200);
  });
  await eventually(() => {
    const notes = run.snapshots.at(-1)?.notes?.map(({ reason }) => reason);
    expect(notes).toContain(
      `webserver/app is ${placeOf(run, app.id)}: the host's, since port 8000 is published`,
    );
  });
  // An agent in a container of its own cannot tell its host's address.
  await using contained = follow(HERE, inside.id);
  await eventually(() => expect(placeOf(contained, app.id)).toContain("cannot see its host's address"));
});

test("etcd in a container of this host: its bridge's address is not taken for the host's", async () => {
  const etcd = await docker.serve("etcd", { networks: [front], flags: ["-p", "8000"] });
  const gateway = await docker.lab.docker(
    ...["network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", front],
  );
  const route = await routeToEtcd([`http://${await etcd.ip()}:2379`]);
  expect(route).toEqual({ ok: true, value: { address: gateway, to: await etcd.ip() } });
  await using run = follow({ ...HERE, route });
  await eventually(() =>
    expect(placeOf(run, etcd.id)).toContain(
      `${gateway}, which is this host's address on a container network`,
    ),
  );
});

test("etcd on this machine tells nothing; no route at all may mend itself", async () => {
  expect(await routeToEtcd(["http://127.0.0.1:2379", "http://[::1]:2379"])).toEqual({
    ok: false,
    reason: expect.stringMatching(/^etcd at \S+ is on this machine/) as string,
  });
  await expect(routeToEtcd(["http://nowhere.invalid:2379"])).rejects.toThrow("there is no route to etcd");
});

test("the doctor tells each container's address and why", async () => {
  const app = await docker.serve("told", { networks: [front], flags: ["-p", "8000"] });
  const inside = await docker.serve("untold", { networks: [front] });
  await eventually(
    async () => {
      const flags = [
        "--docker-host",
        docker.lab.dockerHost,
        "--label-prefix",
        docker.prefix,
        "--host-name",
        "a",
      ];
      const result = await rollcall([
        ...["check", "--register", "--json", "--etcd-endpoints", "http://127.0.0.1:1", ...flags],
        ...["--address", "127.0.0.9", "--server-names", "host"],
      ]);
      expect(result.code).toBe(1); // etcd does not answer.
      const details = (JSON.parse(result.stdout) as { detail: string }[]).map(({ detail }) => detail);
      const told = details.find((detail) => detail.includes("webserver/told"));
      expect(told).toMatch(
        /^[0-9a-f]{12} \S+: webserver\/told is 127\.0\.0\.9:\d+: the host's, since port 8000 is published$/,
      );
      expect(told?.slice(0, 12)).toBe(app.id.slice(0, 12));
      expect(details.find((detail) => detail.includes(inside.id.slice(0, 12)))).toContain(
        "port 8000 is not published",
      );
      expect(details).toContain("this host is 127.0.0.9, as the option address says");
    },
    { timeoutMs: 100_000 },
  );
});
