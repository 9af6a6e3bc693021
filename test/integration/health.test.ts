import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { readHealth } from "../../src/haproxy/health.ts";
import { startApp } from "../support/app-server.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startHaproxy } from "../support/haproxy-process.ts";
import { tempDir } from "../support/temp-dir.ts";

const server = (backend: string, name: string, port: number): Server => ({
  ...plainFields("127.0.0.1", port),
  backend,
  name,
  origin: { source: "etcd", id: name, revision: "1" },
  suffix: "etcd",
});

it.each(haproxyVersions)(
  "tells how the servers are, by their names or their addresses (%s)",
  async (version) => {
    await using dir = await tempDir();
    await using app = await startApp({ name: "app" });
    const [closed, bind] = [await freePort(), await freePort()];
    const socket = join(dir.path, "admin.sock");
    const configFile = join(dir.path, "haproxy.cfg");
    const text = `global
    stats socket ${socket} mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 1s
    timeout server 1s
    default-server inter 100 rise 1 fall 1
listen main
    bind 127.0.0.1:${bind}
backend one
    server up 127.0.0.1:${app.port} check
    server down 127.0.0.1:${closed} check
    server unchecked 127.0.0.1:${app.port}
    server off 127.0.0.1:${app.port} check disabled
backend two
    server drains 127.0.0.1:${app.port} check weight 0
`;
    writeFileSync(configFile, text);
    await using haproxy = await startHaproxy({ version, configFile, dir: dir.path });
    expect(haproxy.processes().length).toBeGreaterThan(0);
    await eventually(async () => {
      const health = await readHealth(socket, new Set(["one", "two"]));
      const names = ["up", "down", "unchecked", "off", "other"];
      const found = names.map((name) => health(server("one", name, name === "other" ? 9 : 1)));
      expect(found).toEqual(["up", "down", "unchecked", "down", "absent"]);
      expect(health(server("two", "drains", 1))).toBe("up");
    });
    // A template may call backends and servers as it likes.
    const health = await readHealth(socket, new Set(["one", "renamed"]));
    expect(health(server("renamed", "other", app.port))).toBe("up");
    expect(health(server("renamed", "other", closed))).toBe("down");
    expect(health(server("renamed", "other", 9))).toBe("absent");
    await expect(readHealth(join(dir.path, "none.sock"), new Set(["one"]))).rejects.toThrow("ENOENT");
  },
);
