import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import fc from "fast-check";
import { expect, test } from "vitest";
import { haproxyBinary } from "../../scripts/lab/haproxy.ts";
import { readWords } from "../../src/core/config-words.ts";
import { readConfig } from "../../src/core/haproxy-config.ts";
import type { Roster } from "../../src/core/roster.ts";
import { NO_STATES } from "../../src/core/server-state.ts";
import { structure } from "../../src/core/structure.ts";
import { DEFAULT_TEMPLATE } from "../../src/parts.ts";
import { renderer } from "../../src/render/renderer.ts";
import { harmless } from "../support/harmless.ts";
import { hostileInput, rosterOf } from "../support/hostile-input.ts";
import { DEFAULT_BACKEND } from "../support/hostile-texts.ts";
import { tempDir } from "../support/temp-dir.ts";

/** Another one: SEED=7 npm run test:golden. */
const SEED = Number(process.env["SEED"] ?? 20_261_121);

/*
 * Whatever stands in etcd, in labels and in the static file: what is rendered differs from what is rendered of harmless
 * names in the names, each of them still one word where it was one word, and in nothing else.
 */
const SUPPORT = fileURLToPath(new URL("../support/", import.meta.url));
/** What templates of users may print of a server within quotes. */
const QUOTING = `
global
  stats socket <%= it.options.haproxySocket %>
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend front
  bind <%= it.getenv("HAPROXY_BIND") %>
<% for (const [name, servers] of Object.entries(it.backends)) for (const server of servers) { %>
  # <%= server.tags.join() %> <%= JSON.stringify(server.meta) %> of <%= server.source.id %>
  http-request set-header x-id "v<%= server.source.id %>" if { var(txn.x) -m str <%= server.name %> }
<% for (const text of [...server.tags, ...Object.keys(server.meta), ...Object.values(server.meta)]) { %>
  http-request set-header x "v<%= text %>"
<% } %>
<% } %>
`;
/** As it was written for confd, with keys that nobody has looked at in comments. */
const CONFD = `
backend webserver
<% for (const pair of it.gets("/app/servers/*")) { %>
  server <%= it.base(pair.Key) %> <%= pair.Value %> check
<% } %>
<% for (const pair of it.gets("/app/config/*").filter(({ Key, Value }) => !/[\\r\\n\\0]/.test(Key + Value))) { %>
  # <%= pair.Key %> <%= pair.Value %>
<% } %>
listen last
  bind :1
`;

const env = { HAPROXY_BIND: "127.0.0.1:6301" };
const rendererOf = (templateFile: string, folder: string, defaultBackend = DEFAULT_BACKEND) => {
  const haproxyConfig = join(folder, "haproxy.cfg");
  const options = { defaultBackend, haproxySocket: join(folder, "h.sock"), haproxyConfig };
  return renderer({ templateFile, options, env, now: () => 0 });
};

/** What HAProxy looks up or takes apart later, in a word that was one: variables, expressions, what is no ASCII. */
const EXPRESSION = /[$%`"'\\#;]|[^ -~]/;

interface Kind {
  readonly template: string;
  readonly keepsBackends: boolean;
  /** Without servers that HAProxy itself would look up while it reads. */
  readonly literalsOnly: boolean;
}
const KINDS: Readonly<Record<string, Kind>> = {
  "the default template": { template: DEFAULT_TEMPLATE, keepsBackends: false, literalsOnly: false },
  "a template of users": {
    template: join(SUPPORT, "user-template.eta"),
    keepsBackends: true,
    literalsOnly: true,
  },
  "a template that prints all": { template: "quoting.eta", keepsBackends: false, literalsOnly: false },
};

const withoutNames = (roster: Roster): Roster => ({
  ...roster,
  backends: roster.backends.map(({ name, servers }) => ({
    name,
    servers: servers.filter(({ address }) => address.includes(":") || !/[a-z]/i.test(address)),
  })),
});

/** All sections with all lines, those of servers too, as words. */
const wordsOf = (text: string): readonly (readonly string[])[] =>
  readConfig(text).flatMap(({ words, lines, servers }) => [
    // Of the frontend of the default template, where a backend has its name.
    words.join(" ") === "frontend main:" ? ["frontend", "main"] : words,
    ...lines.map((line) => line.words),
    ...servers.map(({ raw }) => readWords(raw)),
  ]);

/** Renders it, and what it must be. */
async function renderBoth(roster: Roster, kind: Kind, folder: string) {
  const template = kind.template.startsWith("/") ? kind.template : join(folder, kind.template);
  const hostile = kind.literalsOnly ? withoutNames(roster) : roster;
  const reference = harmless(hostile, kind);
  const text = await rendererOf(template, folder).render(hostile);
  const other = rendererOf(template, folder, reference.backend(DEFAULT_BACKEND));
  const wanted = wordsOf(await other.render(reference.roster));
  return { text, words: wordsOf(text), wanted: wanted.map((line) => line.map(reference.original)) };
}

const count = (roster: Roster): number =>
  roster.backends.reduce((sum, { servers }) => sum + servers.length, 0);

test("nothing but names comes out, each of them one word", async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, "quoting.eta"), QUOTING);
  await writeFile(join(folder.path, "confd.eta"), CONFD);
  const confd = rendererOf(join(folder.path, "confd.eta"), folder.path);
  const bare = structure(
    readConfig(await confd.render(await rosterOf({ keys: [], containers: [], entries: {} }))),
  );
  const seen = { entries: 0, servers: 0, refused: 0, routes: 0 };
  const seed = SEED;
  for (const input of fc.sample(hostileInput(40), { numRuns: 30, seed })) {
    const roster = await rosterOf(input);
    seen.entries += input.keys.length + input.containers.length + Object.keys(input.entries).length;
    seen.servers += count(roster);
    seen.refused += roster.quarantined.length;
    seen.routes += roster.routes.length;
    for (const [what, kind] of Object.entries(KINDS)) {
      const { words, wanted } = await renderBoth(roster, kind, folder.path);
      expect(words, `${what}, seed ${seed}`).toEqual(wanted);
      expect(words.flat().filter((word) => EXPRESSION.test(word))).toEqual([]);
    }
    expect(structure(readConfig(await confd.render(roster))), `confd, seed ${seed}`).toBe(bare);
  }
  console.log(`${JSON.stringify(seen)}, seed ${seed}`);
  expect(Math.min(seen.servers, seen.refused, seen.routes)).toBeGreaterThan(100);
});

test.each(["2.6", "3.2"] as const)("HAProxy %s takes it without a warning", async (version) => {
  const binary = await haproxyBinary(version);
  await using folder = await tempDir();
  await writeFile(join(folder.path, "quoting.eta"), QUOTING);
  await writeFile(join(folder.path, "haproxy.cfg.servers"), NO_STATES);
  const file = join(folder.path, "haproxy.cfg");
  const seed = SEED;
  for (const input of fc.sample(hostileInput(120), { numRuns: 5, seed })) {
    const roster = await rosterOf(input);
    for (const [what, kind] of Object.entries(KINDS)) {
      const { text } = await renderBoth(roster, kind, folder.path);
      await writeFile(file, text);
      const { exitCode, all } = await execa(binary, ["-c", "-V", "-f", file], {
        reject: false,
        all: true,
      });
      const told = all.split("\n").filter((line) => /\[(?:WARNING|ALERT)\]/.test(line));
      expect({ what, exitCode, told }, `seed ${seed}`).toEqual({ what, exitCode: 0, told: [] });
    }
  }
});
