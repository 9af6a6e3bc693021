import { expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { rollcall } from "../support/rollcall-process.ts";
import { startStack } from "../support/stack.ts";

it("rollcall status: 0 with what the daemon did, 1 when HAProxy or the daemon is gone, 64 for wrong usage", async () => {
  await using stack = await startStack({ version: "3.0" });
  const ask = (...args: string[]) => rollcall(["status", "--url", stack.daemon.url, ...args]);
  const app = await stack.app("web1");
  await stack.etcd.put("/app/servers/bad", "127.0.0.1:99999");
  await stack.untilServed(["web1"]);

  const good = await eventually(async () => {
    const answer = await ask();
    expect(answer.stdout).toMatch(/etcd \/app\/servers\/bad: port "99999"/);
    return answer;
  });
  expect(good).toMatchObject({ code: 0, stderr: "" });
  expect(good.stdout).toMatch(/^ready\n/);
  expect(good.stdout).toMatch(/^HAProxy {4}3\.0\.\d+\S*, worker \d+, up for /m);
  expect(good.stdout).toMatch(/^ {2}etcd {2}live for .* {2}1 server, 1 quarantined, published /m);
  expect(good.stdout).toMatch(
    new RegExp(`^ {4}web1 {2}${app.address} {2}ready {2}etcd /app/servers/web1$`, "m"),
  );
  expect(good.stdout).toMatch(
    /^ +#\d+ .* ago {2}(?:runtime|reload) +\d+\.\d {2}merge [\d.]+, render [\d.]+, /m,
  );

  const json = await ask("--json");
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ ready: true, backends: [{ servers: [{ name: "web1" }] }] });

  await stack.haproxy.stop();
  const sick = await eventually(async () => {
    const answer = await ask();
    expect(answer.code).toBe(1);
    return answer;
  });
  expect(sick).toMatchObject({ stderr: "" });
  expect(sick.stdout).toMatch(/^not ready\n {2}HAProxy has not answered for /);

  expect(await stack.daemon.kill("SIGTERM")).toBe(0);
  const gone = await ask();
  expect(gone).toMatchObject({ code: 1, stdout: "" });
  expect(gone.stderr).toMatch(
    /^rollcall: http:\S+\/api\/status: nothing listens there: "rollcall run" does not run, or listens elsewhere; --url/,
  );
  expect(gone.stderr.split("\n")).toHaveLength(1);

  expect(await ask("--last", "many")).toMatchObject({ code: 64, stdout: "" });
});
