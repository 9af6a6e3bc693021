import { afterAll, beforeAll, expect, it } from "vitest";
import { docker } from "../../scripts/lab/docker-cli.ts";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { type ComposeProject, composeUp } from "../support/compose.ts";
import { eventually } from "../support/eventually.ts";
import { type Load, startLoad } from "../support/load.ts";

/** For a machine that has much else to do. */
const SLOW = { timeoutMs: 90_000 };

let engine: SharedEngine;
let stack: ComposeProject;
beforeAll(async () => {
  engine = await sharedEngine();
  stack = await composeUp({ engine, file: "examples/socket-filter/compose.yml" });
}, 300_000);
afterAll(() => stack?.[Symbol.asyncDispose](), 120_000);

/** What the containers of the application that run now call themselves. */
const apps = async (): Promise<readonly string[]> => (await stack.ids("app")).map((id) => id.slice(0, 12));

/** Scales, and resolves when exactly the containers that there are then answer. */
async function scale(count: number): Promise<void> {
  await stack.compose("up", "-d", "--no-recreate", "--scale", `app=${count}`);
  await eventually(async () => expect(await apps()).toHaveLength(count), SLOW);
  await stack.untilServed(await apps(), SLOW);
}

it("follows the scale from one to three and back under load, without a failed request", async () => {
  await scale(1);
  const limits = { url: stack.url, connections: 4, maxSeconds: 200, timeoutMs: 30_000 };
  const loads: Load[] = [true, false].map((keepAlive) => startLoad({ ...limits, keepAlive }));
  try {
    await scale(3);
    await scale(1);
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
  }
  expect(loads.flatMap(({ result }) => result.failures)).toEqual([]);
  expect(Math.min(...loads.map(({ result }) => result.sent))).toBeGreaterThan(100);
});

it("gives the socket to the filter alone, and the filter to the load balancer alone", async () => {
  const look = async (service: string, format: string): Promise<string> => {
    const ids = await eventually(async () => {
      const found = await stack.ids(service);
      expect(found).toHaveLength(1);
      return found;
    }, SLOW);
    return docker(engine, "inspect", "-f", format, ...ids);
  };
  const mounts = "{{range .Mounts}}{{.Destination}} {{end}}";
  expect(await look("socket-filter", mounts)).toContain("/var/run/docker.sock");
  expect(await look("socket-filter", "{{len .HostConfig.PortBindings}}")).toBe("0");
  expect(await look("lb", mounts)).not.toContain("docker.sock");
  expect(await look("lb", "{{.Config.User}}")).toBe("haproxy");
  const networks = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
  expect(await look("socket-filter", networks)).toBe(`${stack.name}_engine `);
  expect(await look("app", networks)).toBe(`${stack.name}_default `);
});

it("refuses what the load balancer has not to ask", async () => {
  const ask = (method: string, path: string): Promise<string> => {
    const script = `fetch("http://socket-filter:2375${path}", { method: "${method}" })
      .then((answer) => console.log(answer.status), (error) => console.log(error.cause.code))
      .then(() => process.exit());`;
    return stack.compose("exec", "-T", "lb", "node", "-e", script);
  };
  await eventually(async () => expect(await ask("GET", "/v1.41/containers/json")).toBe("200"), SLOW);
  await eventually(async () => expect(await ask("POST", "/containers/create")).toBe("403"), SLOW);
  await eventually(async () => expect(await ask("GET", "/images/json")).toBe("403"), SLOW);
});

it("has a doctor that finds nothing wrong with the engine", async () => {
  await eventually(
    async () => {
      const said = await stack.compose("exec", "-T", "lb", "rollcall", "check");
      expect(said).toMatch(/^ok +docker: socket-filter:2375 is version/m);
    },
    { ...SLOW, everyMs: 500 },
  );
});
