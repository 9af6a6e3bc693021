import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { beforeAll, describe, expect, it } from "vitest";
import { haproxyBinary, haproxyVersions } from "../../scripts/lab/haproxy.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import { problems } from "../../src/core/requirements.ts";
import { serverStatePath } from "../../src/core/server-state-path.ts";
import { buildRoster, type Roster } from "../../src/core/roster.ts";
import { NO_STATES } from "../../src/core/server-state.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { snapshot, type Snapshot } from "../../src/core/snapshot.ts";
import { renderer } from "../../src/render/renderer.ts";
import { tempDir } from "../support/temp-dir.ts";

/*
 * One folder a case: `roster.json` holds the servers that one source wants, `haproxy.cfg` what the default template makes
 * of them. A new case needs the former only; `vitest --update` writes the latter, to be read before it is committed.
 */
const CASES = fileURLToPath(new URL("cases/", import.meta.url));
const TEMPLATE = fileURLToPath(new URL("../../templates/haproxy.cfg.eta", import.meta.url));
const DEFAULT_BACKEND = "webserver";
/** HAProxy up to 3.0 warns when it is not there. */
const STATES = "/etc/haproxy/haproxy.cfg.servers";

type GivenServer = Pick<Server, "name" | "address" | "port"> & Partial<Server>;

function roster(text: string): Roster {
  const given = JSON.parse(text) as Omit<Partial<Snapshot>, "servers"> & { servers: GivenServer[] };
  const servers = given.servers.map((server) => ({
    backend: DEFAULT_BACKEND,
    ...plainFields(server.address, server.port),
    origin: { source: "etcd", id: `/app/servers/${server.name}`, revision: "1" },
    suffix: "etcd",
    ...server,
  }));
  const pictures = [snapshot({ source: "etcd", revision: "1", ...given, servers, keys: new Map() })];
  return buildRoster(pictures, { defaultBackend: DEFAULT_BACKEND });
}

const { render } = renderer({
  templateFile: TEMPLATE,
  options: {
    defaultBackend: DEFAULT_BACKEND,
    haproxySocket: "/run/haproxy/admin.sock",
    haproxyConfig: "/etc/haproxy/haproxy.cfg",
  },
  env: {},
  now: () => 0,
});

const binaries = new Map<string, string>();
beforeAll(async () => {
  for (const version of haproxyVersions) binaries.set(version, await haproxyBinary(version));
});

describe.each(readdirSync(CASES))("%s", (name) => {
  const text = render(roster(readFileSync(`${CASES}${name}/roster.json`, "utf8")));

  it("is rendered as recorded", async () => {
    await expect(await text).toMatchFileSnapshot(`${CASES}${name}/haproxy.cfg`);
    const sections = readConfig(await text);
    expect(serverStatePath(sections)).toBe(STATES);
    expect(problems({ text: await text, sections }, { openFiles: null, socketPath: null })).toEqual([]);
  });

  it.each(haproxyVersions)("is accepted by HAProxy %s without a warning", async (version) => {
    await using folder = await tempDir();
    const file = join(folder.path, "haproxy.cfg");
    const states = join(folder.path, "haproxy.cfg.servers");
    await writeFile(states, NO_STATES);
    await writeFile(file, (await text).replace(STATES, states));
    const check = await execa(binaries.get(version) ?? "", ["-c", "-V", "-f", file], {
      reject: false,
      all: true,
    });
    expect(check.all).not.toMatch(/\[(?:WARNING|ALERT)\]/);
    expect(check).toMatchObject({ exitCode: 0, all: expect.stringContaining("Configuration file is valid") });
  });
});
