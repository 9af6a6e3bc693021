import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SYSTEM_RESOLVER } from "../../src/render/name-lookup.ts";
import { type TemplateFunctions, templateFunctions } from "../../src/render/template-functions.ts";
import { roster, templateLab } from "../support/template-lab.ts";

const NOW = Date.UTC(2015, 0, 23, 21, 34, 56, 93);

function functions(
  keys: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): TemplateFunctions {
  const make = templateFunctions({ env, now: () => NOW, resolver: SYSTEM_RESOLVER });
  return make(new Map(Object.entries(keys)));
}

const plain = functions();

describe("keys, with the keys and results of confd's own tests", () => {
  const app = functions({
    "/app/db/pass": "foo",
    "/app/db/user": "admin",
    "/app/port": "443",
    "/app/url": "app.example.com",
    "/app/vhosts/host1": "app.example.com",
    "/app/upstream/host1": "203.0.113.0.1:8080",
    "/app/upstream/host1/domain": "app.example.com",
    "/app/upstream/host2": "203.0.113.0.2:8080",
    "/app/upstream/host2/domain": "app.example.com",
  });

  it("exists, get, getv", () => {
    expect([app.exists("/app/port"), app.exists("/app"), app.exists("/none")]).toEqual([true, false, false]);
    expect(app.get("/app/db/user")).toEqual({ Key: "/app/db/user", Value: "admin" });
    expect(() => app.get("/none")).toThrow("key does not exist: /none");
    expect(app.getv("/app/db/user")).toBe("admin");
    expect(app.getv("/app/db/user", "else")).toBe("admin");
    expect(app.getv("/none", "else")).toBe("else");
    expect(app.getv("/none", "")).toBe("");
    expect(() => app.getv("/none")).toThrow("key does not exist: /none");
    expect(() => app.getv("toString")).toThrow("key does not exist");
  });

  it.each([
    ["/app/db/*", ["/app/db/pass", "/app/db/user"]],
    ["/app/*/host1", ["/app/upstream/host1", "/app/vhosts/host1"]],
    ["/app/upstream/*", ["/app/upstream/host1", "/app/upstream/host2"]],
    ["/app/upstream/host?/domain", ["/app/upstream/host1/domain", "/app/upstream/host2/domain"]],
    ["/app/port", ["/app/port"]],
    ["/app/missing/*", []],
    ["*", []],
    ["/zzz*", []],
  ])("gets %s", (pattern, keys) => {
    expect(app.gets(pattern).map((pair) => pair.Key)).toEqual(keys);
  });

  it("gets refuses a malformed pattern", () => {
    expect(() => app.gets("[]a]")).toThrow("syntax error in pattern");
  });

  it("getvs sorts by value", () => {
    const store = functions({
      "/test/user": "mary",
      "/test/pass": "abc",
      "/nada/url": "url",
      "/test/a": "z",
    });
    expect(store.getvs("/test/*")).toEqual(["abc", "mary", "z"]);
    expect(store.getvs("/none/*")).toEqual([]);
  });

  const deis = functions(
    Object.fromEntries(
      [
        "/deis/database/user",
        "/deis/services/key",
        "/deis/services/notaservice/foo",
        "/deis/services/srv1/node1",
        "/deis/services/srv1/node2",
        "/deis/services/srv2/node1",
        "/deis/prefix/node1",
        "/deis/prefix/node2/leafnode",
        "/deis/prefix/node3/leafnode",
        "/deis/prefix_a/node4",
        "/deis/prefixb/node5/leafnode",
      ].map((key) => [key, key]),
    ),
  );
  it.each([
    ["/deis/services", ["key", "notaservice", "srv1", "srv2"], ["notaservice", "srv1", "srv2"]],
    ["/deis/services/", ["key", "notaservice", "srv1", "srv2"], ["notaservice", "srv1", "srv2"]],
    ["/deis/prefix", ["node1", "node2", "node3"], ["node2", "node3"]],
    ["/deis/services/key", ["key"], []],
    ["/deis/services/key/", [], []],
    ["/none", [], []],
    ["/", ["deis"], ["deis"]],
  ])("ls and lsdir %s", (path, names, folders) => {
    expect(deis.ls(path)).toEqual(names);
    expect(deis.lsdir(path)).toEqual(folders);
  });
});

describe("texts", () => {
  it("base and dir are Go's", () => {
    expect(["/a/b", "/a/b/", "a", "/", "//", ""].map(plain.base)).toEqual(["b", "b", "a", "/", "/", "."]);
    expect(["/services/data/url", "/a/b/", "/a", "a", "/", "", "a/../b/c"].map(plain.dir)).toEqual([
      "/services/data",
      "/a/b",
      "/",
      ".",
      "/",
      ".",
      "b",
    ]);
  });

  it("split and join", () => {
    expect(plain.split("foo:bar:baz", ":")).toEqual(["foo", "bar", "baz"]);
    expect(plain.split("", ":")).toEqual([""]);
    expect(plain.split("aé😀", "")).toEqual(["a", "é", "😀"]);
    expect(plain.join(["a", "b"], ",")).toBe("a,b");
  });

  it("replace", () => {
    expect(plain.replace("a-b-c", "-", "_", -1)).toBe("a_b_c");
    expect(plain.replace("a-b-c", "-", "_", 1)).toBe("a_b-c");
    expect(plain.replace("a-b-c", "-", "$&", 0)).toBe("a-b-c");
    expect(plain.replace("a-b", "-", "$&")).toBe("a$&b");
  });

  it("toUpper, toLower, contains, trimSuffix", () => {
    expect([plain.toUpper("value"), plain.toLower("Value")]).toEqual(["VALUE", "value"]);
    expect([plain.contains("seafood", "foo"), plain.contains("seafood", "bar")]).toEqual([true, false]);
    expect([
      plain.trimSuffix("a.local", ".local"),
      plain.trimSuffix("a", "b"),
      plain.trimSuffix("a", ""),
    ]).toEqual(["a", "a", "a"]);
  });

  it("base64Encode and base64Decode", () => {
    expect(plain.base64Encode("Value")).toBe("VmFsdWU=");
    expect(plain.base64Decode("VmFsdWU=")).toBe("Value");
    expect(plain.base64Decode("VmFs\ndWU=")).toBe("Value");
    for (const bad of ["VmFsdWU", "a b=", "%"]) expect(() => plain.base64Decode(bad)).toThrow("not base64");
  });

  it("parseBool", () => {
    for (const yes of ["1", "t", "T", "TRUE", "true", "True"]) expect(plain.parseBool(yes)).toBe(true);
    for (const no of ["0", "f", "F", "FALSE", "false", "False"]) expect(plain.parseBool(no)).toBe(false);
    for (const bad of ["yes", "", "tRUE"])
      expect(() => plain.parseBool(bad)).toThrow("neither true nor false");
  });
});

describe("structures", () => {
  it("map", () => {
    const endpoint = plain.map("name", "elasticsearch", "private_port", 9200, "public_port", 443);
    expect({ ...endpoint }).toEqual({ name: "elasticsearch", private_port: 9200, public_port: 443 });
    expect(endpoint["toString"]).toBeUndefined();
    expect(() => plain.map("name")).toThrow("a key has no value");
    expect(() => plain.map(1, 2)).toThrow("not a text");
  });

  it("json and jsonArray", () => {
    expect(plain.json('{"Id":"host1", "IP":"192.168.10.11"}')).toEqual({ Id: "host1", IP: "192.168.10.11" });
    expect(plain.jsonArray('["1", 2, null]')).toEqual(["1", 2, null]);
    for (const bad of ["[]", "1", "null", '"a"']) expect(() => plain.json(bad)).toThrow("not an object");
    for (const bad of ["{}", "1", "null"]) expect(() => plain.jsonArray(bad)).toThrow("not an array");
    expect(() => plain.json("{")).toThrow(SyntaxError);
  });

  it("reverse, sortByLength, sortKVByLength leave their argument alone", () => {
    const list = Object.freeze(["ccc", "a", "bb", "é"]);
    expect(plain.reverse(list)).toEqual(["é", "bb", "a", "ccc"]);
    expect(plain.sortByLength(list)).toEqual(["a", "bb", "é", "ccc"]);
    const pairs = Object.freeze(["/a/b", "/z", "/a"].map((Key) => ({ Key, Value: "" })));
    expect(plain.sortKVByLength(pairs).map((pair) => pair.Key)).toEqual(["/z", "/a", "/a/b"]);
    expect(plain.reverse(plain.sortKVByLength(pairs)).map((pair) => pair.Key)).toEqual(["/a/b", "/a", "/z"]);
  });
});

describe("numbers", () => {
  it("atoi", () => {
    expect(["3", "-3", "+3", "007"].map(plain.atoi)).toEqual([3, -3, 3, 7]);
    for (const bad of ["", "3.5", "0x3", " 3", "99999999999999999999"]) {
      expect(() => plain.atoi(bad)).toThrow("not a whole number");
    }
  });

  it("add, sub, mul, div, mod", () => {
    expect([plain.add(1, 2), plain.sub(1, 2), plain.mul(3, -2)]).toEqual([3, -1, -6]);
    expect([plain.div(7, 2), plain.div(-7, 2), plain.div(-1, 2)]).toEqual([3, -3, 0]);
    expect([plain.mod(7, 3), plain.mod(-7, 3), plain.mod(-6, 3)]).toEqual([1, -1, 0]);
    expect(() => plain.div(1, 0)).toThrow("division by zero");
    expect(() => plain.mod(1, 0)).toThrow("division by zero");
    expect(() => plain.add(1, "2" as unknown as number)).toThrow('add: "2" is not a whole number, turn it');
    expect(() => plain.mul(1.5, 2)).toThrow("mul: 1.5 is not a whole number");
  });

  it("seq", () => {
    expect(plain.seq(1, plain.atoi("3"))).toEqual([1, 2, 3]);
    expect(plain.seq(3, 3)).toEqual([3]);
    expect(plain.seq(3, 1)).toEqual([]);
    expect(() => plain.seq(0, 1e9)).toThrow("too many");
  });
});

describe("the machine", () => {
  it("getenv", () => {
    const { getenv } = functions({}, { HOSTNAME: "lb1", EMPTY: "" });
    expect([getenv("HOSTNAME"), getenv("HOSTNAME", "x"), getenv("EMPTY", "x")]).toEqual(["lb1", "lb1", "x"]);
    expect([getenv("NONE"), getenv("NONE", "127.0.0.1")]).toEqual(["", "127.0.0.1"]);
  });

  it("datetime", () => {
    expect(plain.datetime().toISOString()).toBe("2015-01-23T21:34:56.093Z");
  });

  it("fileExists", () => {
    expect([plain.fileExists(import.meta.filename), plain.fileExists("/none")]).toEqual([true, false]);
  });
});

describe("a confd template, translated line by line", () => {
  const render = async (text: string, keys: Readonly<Record<string, string>>): Promise<string> => {
    await using lab = await templateLab({ now: () => NOW });
    return await lab.renderText(text, roster({ keys })); // The folder must live until then.
  };

  it("nginx of confd's documentation", async () => {
    const text = `worker_processes <%= it.getv("/nginx/worker_processes") %>;

upstream app {
<% for (const server of it.getvs("/app/upstream/*")) { %>
    server <%= server %>;
<% } %>
}

server {
    server_name www.<%= it.getv("/nginx/domain") %>;
    proxy_set_header  Host  $host;
}
`;
    const keys = {
      "/nginx/domain": "example.com",
      "/nginx/worker_processes": "2",
      "/app/upstream/app1": "10.0.1.100:80",
      "/app/upstream/app2": "10.0.1.101:80",
    };
    expect(await render(text, keys)).toBe(`worker_processes 2;

upstream app {
    server 10.0.1.100:80;
    server 10.0.1.101:80;
}

server {
    server_name www.example.com;
    proxy_set_header  Host  $host;
}
`);
  });

  it("the complex example of confd's documentation", async () => {
    const text = `<% for (const dir of it.lsdir("/services/web")) { %>
upstream <%= it.base(dir) %> {
<%   for (const pair of it.gets(\`/services/web/\${dir}/*\`)) { %>
    server <%= it.json(pair.Value).IP %>:80;
<%   } %>
}
<% } %>
`;
    const keys = {
      "/services/web/cust1/2": '{"IP": "10.0.0.2"}',
      "/services/web/cust2/2": '{"IP": "10.0.0.4"}',
      "/services/web/cust2/1": '{"IP": "10.0.0.3"}',
      "/services/web/cust1/1": '{"IP": "10.0.0.1"}',
    };
    expect(await render(text, keys)).toBe(`upstream cust1 {
    server 10.0.0.1:80;
    server 10.0.0.2:80;
}
upstream cust2 {
    server 10.0.0.3:80;
    server 10.0.0.4:80;
}
`);
  });

  it("server keys, awaited addresses and the time", async () => {
    const text = `<% for (const { Key, Value } of it.gets("/app/servers/*")) { %>
server <%= it.base(Key) %> <%= Value %> check
<% } %>
<% for (const ip of await it.lookupIPV4("localhost")) { %>
ip: <%= ip %>
<% } %>
# <%= it.datetime() %>
`;
    const keys = { "/app/servers/web2": "10.0.0.2:80", "/app/servers/web1": "10.0.0.1:80 weight=5" };
    expect(await render(text, keys)).toBe(`server web1 10.0.0.1:80 weight=5 check
server web2 10.0.0.2:80 check
ip: 127.0.0.1
# 2015-01-23T21:34:56.093Z
`);
  });
});

it("has every function that the documentation names, and no other", () => {
  const documentation = readFileSync(new URL("../../docs/templates.md", import.meta.url), "utf8");
  const [, table = ""] = /## Functions\n([^]*?)\nWhere they differ/.exec(documentation) ?? [];
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`(?:await )?(\w+)/g)]);
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set(Object.keys(plain)));
});
