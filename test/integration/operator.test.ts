import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ownerText } from "../../src/core/owner.ts";
import { eventually } from "../support/eventually.ts";
import { guardedEtcd } from "../support/guarded-etcd.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { runCommand } from "../support/run-command.ts";
import { type Stack, startStack } from "../support/stack.ts";

describe("the operator's commands, before the eyes of a load balancer", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ version: "3.0" });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const endpoint = (): readonly string[] => ["--etcd-endpoints", `http://${stack.etcd.endpoint}`];
  const type = (...args: string[]) => runCommand([...args, ...endpoint()]);
  /** Runs a command that has to succeed; its output. */
  async function good(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await type(...args);
    expect({ code, stderr }, args.join(" ")).toEqual({ code: 0, stderr: "" });
    return stdout;
  }

  /** Weights of the servers as HAProxy's file has them; undefined = the template's own. */
  const weights = (): Record<string, string | undefined> =>
    Object.fromEntries(
      [...stack.config().matchAll(/^ +server (\S+) \S+(?: .*?weight ([0-9]+))?/gm)].map(
        ([, name, weight]) => [name, weight],
      ),
    );

  it("add, weight, drain, ready, maint and rm do what they say, and lose no request", async () => {
    await stack.etcd.ctl("del", "--prefix", "/app/");
    const register = { register: false };
    const [web1, web2] = [await stack.app("web1", register), await stack.app("web2", register)];
    expect(await good("add", "web1", web1.address, "weight=20")).toMatch(
      new RegExp(`^/app/servers/web1 = ${web1.address} weight=20 \\(revision \\d+\\)$`),
    );
    await good("add", "web2", web2.address, "weight=20");
    await stack.untilServed(["web1", "web2"]);

    await good("weight", "web2", "10");
    await eventually(() => expect(weights()).toEqual({ web1: "20", web2: "10" }), { timeoutMs: 20_000 });

    const arrived = (): number => web1.requests + web2.requests;
    const before = arrived();
    const running = Promise.all(
      Array.from({ length: 9 }, async () => {
        const answer = await fetch(`${stack.url}/slow?ms=3000`, { headers: { connection: "close" } });
        return `${answer.status} ${await answer.text()}`;
      }),
    );
    await eventually(() => expect(arrived()).toBe(before + 9));
    await good("drain", "web1");
    await stack.untilServed(["web2"]);
    expect(new Set(await running)).toEqual(new Set(["200 web1", "200 web2"]));

    expect(await good("weight", "web1", "5")).toContain(
      'note: its override drain stays; "rollcall ready web1"',
    );
    expect(await stack.etcd.get("/app/overrides/web1")).toBe("drain weight=5");
    await good("ready", "web1");
    await stack.untilServed(["web1", "web2"]);
    expect(await stack.etcd.list("/app/overrides/")).toEqual({ "/app/overrides/web2": "weight=10" });

    await good("maint", "web1");
    await stack.untilServed(["web2"]);
    expect(await good("ls")).toMatch(/^web1 .* maint \(override\) +operator$/m);
    expect(await good("rm", "web1")).toMatch(
      /^deleted \/app\/servers\/web1 \(revision \d+\)\ndeleted \/app\/overrides\/web1 /,
    );
    await eventually(() => expect(weights()).toEqual({ web2: "10" }), { timeoutMs: 20_000 });
  });

  it("leaves an agent's servers to the agent, but drains them", async () => {
    const app = await stack.app("web-3", { register: false });
    const [, lease = ""] = /lease (\S+) granted/.exec(await stack.etcd.ctl("lease", "grant", "600")) ?? [];
    const put = (key: string, value: string) => stack.etcd.ctl("put", `--lease=${lease}`, key, value);
    await put("/app/owners/@b", '{"host":"b","agent":"x","version":"1.2.3"}');
    await put("/app/owners/web-3", ownerText({ host: "b", container: "3f2a12345678" }));
    await put("/app/servers/web-3", app.address);
    const stderr = `rollcall: web-3 belongs to host b's agent (container 3f2a12345678); use "rollcall drain web-3", or stop the container`;
    for (const args of [
      ["rm", "web-3"],
      ["add", "web-3", "127.0.0.1:9", "--replace"],
    ]) {
      expect(await type(...args)).toEqual({ code: 1, stdout: "", stderr });
    }
    expect(await stack.etcd.get("/app/servers/web-3")).toBe(app.address);
    expect(JSON.parse(await good("drain", "web-3", "--json"))).toMatchObject({
      writes: [{ key: "/app/overrides/web-3", value: "drain" }],
    });
    expect(await good("ls")).toMatch(/^web-3 .* drain \(override\) +host b, container 3f2a12345678$/m);
    // Somebody writes over it, and so takes it out of the agent's hands.
    await stack.etcd.put("/app/servers/web-3", app.address);
    await good("rm", "web-3");
    expect(await stack.etcd.get("/app/servers/web-3")).toBeUndefined();
    expect(await stack.etcd.get("/app/overrides/web-3")).toBeUndefined();
  });

  it("of many that add the same server at once, one wins, and of two overrides none gets lost", async () => {
    for (const folder of ["servers", "overrides"]) await stack.etcd.del(`/app/${folder}/race/one`);
    const ports = Array.from({ length: 20 }, (_, port) => `127.0.0.1:${port + 1}`);
    const added = await Promise.all(ports.map((address) => type("add", "race/one", address)));
    const winners = ports.filter((_, at) => added[at]?.code === 0);
    expect(winners).toEqual([await stack.etcd.get("/app/servers/race/one")]);
    const losers = added.filter(({ code }) => code !== 0);
    expect(losers).toHaveLength(19);
    for (const { code, stderr } of losers) {
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^rollcall: race\/one is there already, as "127\.0\.0\.1:\d+"; --replace writes/,
      );
    }
    await Promise.all([good("drain", "race/one"), good("weight", "race/one", "3")]);
    expect(await stack.etcd.get("/app/overrides/race/one")).toBe("drain weight=3");
    await good("rm", "race/one");
  });

  it("as processes: 64 and the usage, 1 and what was meant, 78 without etcd; nothing is written", async () => {
    const before = await stack.etcd.revision();
    expect(await rollcall(["add", "web9", ...endpoint()])).toMatchObject({
      code: 64,
      stdout: "",
      stderr: expect.stringMatching(
        /^rollcall: HOST:PORT is missing\nusage: rollcall add SERVER HOST:PORT \[WORD \.\.\.\]; rollcall add --help/,
      ) as string,
    });
    expect(await rollcall(["add", "web9", "10.0.0.1:80", "wieght=5", ...endpoint()])).toEqual({
      code: 64,
      stdout: "",
      stderr: 'rollcall: unknown word "wieght": did you mean weight?',
    });
    expect(await rollcall(["rm", "wbe2", ...endpoint()])).toEqual({
      code: 1,
      stdout: "",
      stderr: "rollcall: no server wbe2 in etcd; did you mean web2?",
    });
    expect(await rollcall(["ls", "--etcd-endpoints", "off"])).toMatchObject({ code: 78, stdout: "" });
    expect(await stack.etcd.revision()).toBe(before);
  });
});

it("say what to do when etcd refuses them, is silent or down; one member of several is enough", async () => {
  await using guarded = await guardedEtcd({ lb: ["--prefix=true read /app/"] });
  const { etcd } = guarded;
  const [own, nobody] = [`http://${etcd.endpoint}`, "http://127.0.0.1:1"];
  const login = ["--etcd-username", "lb", "--etcd-password-file", guarded.passwordFile("lb")];
  const as = (endpoints: string, ...args: string[]) =>
    runCommand([...args, "--etcd-endpoints", endpoints, ...login]);

  expect(await as(`${nobody},${own}`, "ls")).toMatchObject({ code: 0 });
  expect(await as(own, "drain", "web1")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining(
      "user lb may not write /app/overrides/ (etcdctl role grant-permission ROLE --prefix=true readwrite /app/overrides/)",
    ) as string,
  });
  expect((await runCommand(["ls", "--etcd-endpoints", own])).stderr).toMatch(
    /wants a user name and a password; set etcd-username and etcd-password-file$/,
  );

  etcd.pause();
  const silent = await as(`${nobody},${own}`, "ls");
  etcd.resume();
  expect(silent).toMatchObject({
    code: 1,
    stderr: `rollcall: etcd ${nobody}: connection refused; ${own}: no answer in time; start it, or set etcd-endpoints to where it is`,
  });
});
