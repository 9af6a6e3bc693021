import { describe, expect, test } from "vitest";
import { parseServerValue } from "../../src/core/server-value.ts";
import { plainFields, type ServerFields } from "../../src/core/server.ts";

const refused = (part: string) => ({ ok: false, reason: expect.stringContaining(part) as string });

describe("accepted", () => {
  const plain = plainFields("10.0.0.5", 80);
  const check = { path: "/healthz", intervalMs: 2000, rise: 2, fall: 5 };
  const table: readonly (readonly [text: string, fields: ServerFields])[] = [
    ["10.0.0.5:80", plain],
    ["\n 10.0.0.5:80\t\r\n", plain],
    ["app1:8000", plainFields("app1", 8000)],
    ["App1.Example.ORG:8000", plainFields("app1.example.org", 8000)],
    ["[FD00:0:0::5]:80", plainFields("fd00::5", 80)],
    ["10.0.0.5:80 weight=50", { ...plain, weight: 50 }],
    ["10.0.0.5:80   weight=0   backup", { ...plain, weight: 0, backup: true }],
    ["10.0.0.5:80 backup=no maxconn=100", { ...plain, maxconn: 100 }],
    ["10.0.0.5:80 check=off", { ...plain, check: false }],
    ["10.0.0.5:80 check", plain],
    ["10.0.0.5:80 check=/healthz interval=2s rise=2 fall=5", { ...plain, check }],
    [
      "10.0.0.5:80 interval=500ms",
      { ...plain, check: { ...check, path: null, intervalMs: 500, rise: null, fall: null } },
    ],
    ["10.0.0.5:80 state=drain", { ...plain, state: "drain" }],
    ["10.0.0.5:80 host=example.org path=/api", { ...plain, routes: [{ host: "example.org", path: "/api" }] }],
    ["10.0.0.5:80 path=/api", { ...plain, routes: [{ host: null, path: "/api" }] }],
    [
      "10.0.0.5:80 tags=a,b meta.zone=x meta.rack=7",
      { ...plain, tags: ["a", "b"], meta: { rack: "7", zone: "x" } },
    ],
    ['{"address":"10.0.0.5:80"}', plain],
    ['\n{\n  "address": "10.0.0.5:80"\n}\n', plain],
    ['{"address":"10.0.0.5:80","check":true}', plain],
    ['{"address":"10.0.0.5:80","check":{}}', plain],
    ['{"address":"10.0.0.5:80","check":false,"weight":null}', { ...plain, check: false }],
    [
      '{"address":"10.0.0.5:80","check":{"path":"/healthz","interval":"2s","rise":2,"fall":5}}',
      { ...plain, check },
    ],
    ['{"address":"10.0.0.5:80","tags":[],"meta":{},"state":"maint"}', { ...plain, state: "maint" }],
    [
      '{"address":"10.0.0.5:80","tags":["a"],"meta":{"owner":"team a"}}',
      { ...plain, tags: ["a"], meta: { owner: "team a" } },
    ],
    [
      '{"address":"10.0.0.5:80","weight":50,"backup":true,"maxconn":9}',
      { ...plain, weight: 50, backup: true, maxconn: 9 },
    ],
    [
      '{"address":"10.0.0.5:80","host":"*.example.org"}',
      { ...plain, routes: [{ host: "*.example.org", path: null }] },
    ],
    [
      '{"address":"10.0.0.5:80","routes":[{"host":"A.example.org","path":"/a"},{"path":"/b","host":null}]}',
      {
        ...plain,
        routes: [
          { host: "a.example.org", path: "/a" },
          { host: null, path: "/b" },
        ],
      },
    ],
    ['{"address":"10.0.0.5:80","routes":[]}', plain],
    [
      '{"address":"10.0.0.5:80","routes":null,"path":"/a"}',
      { ...plain, routes: [{ host: null, path: "/a" }] },
    ],
  ];
  test.each(table)("%s", (text, fields) => {
    expect(parseServerValue(text)).toEqual({ ok: true, value: fields });
  });
});

describe("refused, with a reason that shows the mend", () => {
  test.each([
    ["", "the value is empty: write HOST:PORT"],
    [" \n", "the value is empty"],
    ["10.0.0.5", "is not HOST:PORT"],
    ["10.0.0.5:0", "port"],
    ["10.0.0.5:65536", "port"],
    ["10.0.0.5:80\nserver evil 6.6.6.6:80", "U+000A is not allowed"],
    ["10.0.0.5:80\u00a0weight=5", "U+00A0 is not allowed"],
    ["10.0.0.5:80\tweight=5", "U+0009 is not allowed"],
    ["10.0.0.5:80 weight=257", "weight:"],
    ["10.0.0.5:80 weight", "weight needs a value"],
    ["10.0.0.5:80 weight=", "weight needs a value"],
    ["10.0.0.5:80 weight=1 weight=1", "weight is given twice"],
    ["10.0.0.5:80 wieght=1", "did you mean weight?"],
    ["10.0.0.5:80 colour=red", "known are weight"],
    ["10.0.0.5:80 check=off rise=2", "contradict"],
    ["10.0.0.5:80 check=healthz", "neither on, off nor a path"],
    ["10.0.0.5:80 state=drian", "did you mean drain?"],
    ["10.0.0.5:80 interval=2", "interval:"],
    ["10.0.0.5:80 rise=0", "rise:"],
    ["10.0.0.5:80 host=1.2.3.4", "host:"],
    ["10.0.0.5:80 tags=a,,b", "tags:"],
    ["10.0.0.5:80 meta.=x", "meta key"],
    ["10.0.0.5:80 meta.a=%[src]", "meta a"],
    ["10.0.0.5:80 resolvers=docker", "unknown word"],
    ["weight=50", "stands in the address's place"],
    ["10.0.0.5:80 # comment", "character # is not allowed"],
    ["10.0.0.5:80,10.0.0.6:80", "is not HOST:PORT"],
    ["http://10.0.0.5:80", "is not HOST:PORT"],
    ['"10.0.0.5:80"', 'character " is not allowed'],
    ["{10.0.0.5:80}", "begins like JSON but is none"],
    ["{}", "field address is missing"],
    ['{"address":8}', "address must be a string"],
    ['{"adress":"a:1"}', 'did you mean "address"?'],
    ['{"address":"a:1","weight":"50"}', "weight must be a number"],
    ['{"address":"a:1","weight":1.5}', "weight:"],
    ['{"address":"a:1","backup":1}', "backup must be a boolean"],
    ['{"address":"a:1","check":"/x"}', "check must be true, false or"],
    ['{"address":"a:1","check":[]}', "check must be true, false or"],
    ['{"address":"a:1","check":{"path":"off"}}', "does not begin with"],
    ['{"address":"a:1","check":{"intervall":"2s"}}', 'did you mean "interval"?'],
    ['{"address":"a:1","tags":"a"}', "tags must be a list"],
    ['{"address":"a:1","tags":["a,b"]}', "tags must be a list"],
    ['{"address":"a:1","meta":{"a":1}}', "must be a text"],
    ['{"address":"a:1","meta":{"__proto__":"1"}}', "meta key"],
    ['{"address":"a:1","__proto__":{"weight":1}}', "has no field"],
    ['{"address":"a:1","host":"a\\nb"}', "host:"],
    ['{"address":"a:1","routes":{"path":"/a"}}', "routes must be a list"],
    ['{"address":"a:1","routes":["/a"]}', "routes: a route must be an object"],
    ['{"address":"a:1","routes":[{}]}', "routes: a route needs a host, a path or both"],
    ['{"address":"a:1","routes":[{"paht":"/a"}]}', 'did you mean "path"?'],
    ['{"address":"a:1","routes":[{"path":"/a b"}]}', "a path begins with"],
    ['{"address":"a:1","routes":[{"host":"10.0.0.1"}]}', "is not a host name"],
    ['{"address":"a:1","routes":[{"path":"/a"}],"path":"/b"}', "routes and path contradict each other"],
    ['{"address":"a:1 weight=5"}', "port"],
    [`{"address":"a:1","meta":{"a":"${"x".repeat(5000)}"}}`, "longer than 4096 bytes"],
    ["ä".repeat(2049), "longer than 4096 bytes"],
    [`{"a":${"[".repeat(4000)}`, "begins like JSON but is none"],
    [`{"a":${"[".repeat(2000)}${"]".repeat(2000)}}`, "has no field"],
  ])("%.60j", (text, reason) => {
    expect(parseServerValue(text)).toEqual(refused(reason));
  });
});
