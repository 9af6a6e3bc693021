import { describe, expect, test } from "vitest";
import { ownContainerId } from "../../src/lib/own-container.ts";

const ID = "8f2c7d0e".repeat(8);
const nothing = { mountinfo: "", cgroup: "0::/\n", hostname: "box", dockerenv: false };
const mount = (root: string, point: string) =>
  `620 600 254:1 ${root} ${point} rw,relatime - ext4 /dev/vda1 rw`;

describe("found", () => {
  const table = [
    ["Docker", { mountinfo: `x\n${mount(`/var/lib/docker/containers/${ID}/hostname`, "/etc/hostname")}\n` }],
    ["another data root", { mountinfo: mount(`/docker/containers/${ID}/resolv.conf`, "/etc/resolv.conf") }],
    [
      "Podman",
      { mountinfo: mount(`/containers/storage/overlay-containers/${ID}/userdata/hosts`, "/etc/hosts") },
    ],
    ["cgroup v1", { cgroup: `12:cpu:/docker/${ID}\n0::/\n` }],
    ["systemd's cgroups", { cgroup: `0::/system.slice/docker-${ID}.scope\n` }],
  ] as const;
  test.each(table)("%s", (_, traces) => {
    expect(ownContainerId({ ...nothing, ...traces })).toBe(ID);
  });

  test("by the host name that the engine gave, when nothing else tells", () => {
    expect(ownContainerId({ ...nothing, hostname: "8f2c7d0e8f2c", dockerenv: true })).toBe("8f2c7d0e8f2c");
  });
});

describe("not in a container", () => {
  const table = [
    ["nothing", {}],
    [
      "a host that mounts its containers' files",
      {
        mountinfo: mount(
          `/var/lib/docker/containers/${ID}/mounts/shm`,
          `/var/lib/docker/containers/${ID}/mounts/shm`,
        ),
      },
    ],
    [
      "a folder of all containers",
      { mountinfo: mount("/var/lib/docker/containers", "/var/lib/docker/containers") },
    ],
    ["a host name of twelve digits", { hostname: "8f2c7d0e8f2c" }],
    ["a name of one's own", { dockerenv: true }],
    ["lines that are none", { mountinfo: "\n \n1 2 3\n" }],
  ] as const;
  test.each(table)("%s", (_, traces) => {
    expect(ownContainerId({ ...nothing, ...traces })).toBeUndefined();
  });
});
