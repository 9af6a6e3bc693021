import { describe, expect, test } from "vitest";
import { isLocalEndpoint, parseDockerEndpoint } from "../../src/discovery/docker-endpoint.ts";

const unix = (path: string) => ({ kind: "unix", path, shown: path });
const tcp = (host: string, port: number, certPath: string | null = null) => ({
  kind: "tcp",
  host,
  port,
  certPath,
});
const ssh = (host: string) => ({ kind: "ssh", host, port: null, user: null, socket: null });

describe("accepted", () => {
  const table = [
    [{}, unix("/var/run/docker.sock")],
    [{ host: "" }, unix("/var/run/docker.sock")],
    [{ host: "unix://" }, unix("/var/run/docker.sock")],
    [
      { host: "unix:///run/user/1000/docker.sock", tlsVerify: "1", certPath: "/c" },
      unix("/run/user/1000/docker.sock"),
    ],
    [{ host: "/run/podman.sock" }, unix("/run/podman.sock")],
    [{ host: "tcp://10.0.0.1:4000" }, tcp("10.0.0.1", 4000)],
    [{ host: "tcp://docker-proxy" }, tcp("docker-proxy", 2375)],
    [{ host: "tcp://[fd00::1]:2375" }, tcp("fd00::1", 2375)],
    [{ host: "http://h" }, tcp("h", 80)],
    [{ host: "tcp://h", tlsVerify: "1", certPath: "/c" }, tcp("h", 2376, "/c")],
    [{ host: "tcp://h:2375", tlsVerify: "yes", certPath: "/c" }, tcp("h", 2375, "/c")],
    [{ host: "tcp://h", certPath: "/c" }, tcp("h", 2376, "/c")],
    [{ host: "https://h:9", certPath: "/c" }, tcp("h", 9, "/c")],
    [{ host: "ssh://h" }, ssh("h")],
    [{ host: "ssh://me@db-1.example:2222" }, { ...ssh("db-1.example"), user: "me", port: 2222 }],
    [
      { host: "ssh://[fd00::1]:22/run/user/1000/docker.sock" },
      { ...ssh("fd00::1"), port: 22, socket: "/run/user/1000/docker.sock" },
    ],
  ] as const;
  test.each(table)("%j", (connection, expected) => {
    expect(parseDockerEndpoint(connection)).toMatchObject({ ok: true, value: expected });
  });
});

describe("refused", () => {
  const table = [
    [{ host: "ssh://" }, "is not ssh://USER@HOST:PORT/SOCKET"],
    [{ host: "ssh://-oProxyCommand=x" }, "is not ssh://"],
    [{ host: "ssh://-oProxyCommand@h" }, "is not ssh://"],
    [{ host: "ssh://me:secret@h" }, "ssh takes keys, no password"],
    [{ host: "ssh://h/run/a.sock;reboot" }, "is not ssh://"],
    [{ host: "ssh://h/run/$(x).sock" }, "is not ssh://"],
    [{ host: "ssh://h h" }, "is not ssh://"],
    [{ host: "npipe:////./pipe/docker_engine" }, "is not unix://PATH"],
    [{ host: "fd://" }, "is not unix://PATH"],
    [{ host: "localhost:2375" }, "is not unix://PATH"],
    [{ host: "tcp://h", tlsVerify: "1" }, "needs DOCKER_CERT_PATH"],
    [{ host: "https://h" }, "needs DOCKER_CERT_PATH"],
  ] as const;
  test.each(table)("%j", (connection, reason) => {
    expect(parseDockerEndpoint(connection)).toEqual({
      ok: false,
      reason: expect.stringContaining(reason) as string,
    });
  });
});

test("local or not", () => {
  const local = (host: string) => {
    const endpoint = parseDockerEndpoint({ host });
    return endpoint.ok && isLocalEndpoint(endpoint.value);
  };
  expect(["", "/x", "tcp://localhost:1", "tcp://127.0.0.1", "tcp://[::1]"].map(local)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(["tcp://10.0.0.1", "tcp://docker-proxy", "tcp://127.example.org", "ssh://h"].map(local)).toEqual([
    false,
    false,
    false,
    false,
  ]);
});
