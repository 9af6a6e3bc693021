import { createSocket } from "node:dgram";
import { promises as dns } from "node:dns";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { type NameResolver, nameLookup, SYSTEM_RESOLVER } from "../../src/render/name-lookup.ts";
import { templateLab } from "../support/template-lab.ts";

const failing = (code: string): NameResolver => {
  const fail = (): Promise<never> => Promise.reject(Object.assign(new Error(`query ${code}`), { code }));
  return { addresses: fail, srv: fail };
};

describe("addresses", () => {
  it("are those of the system", async () => {
    const { lookupIP, lookupIPV4, lookupIPV6 } = nameLookup(SYSTEM_RESOLVER);
    expect(await lookupIPV4("localhost")).toEqual(["127.0.0.1"]);
    expect([[], ["::1"]]).toContainEqual(await lookupIPV6("localhost"));
    expect(await lookupIP("10.0.0.7")).toEqual(["10.0.0.7"]);
  });

  it("are sorted", async () => {
    const resolver = { ...failing("X"), addresses: async () => ["10.0.0.9", "fd00::1", "10.0.0.10"] };
    const { lookupIP, lookupIPV4, lookupIPV6 } = nameLookup(resolver);
    expect(await lookupIP("a")).toEqual(["10.0.0.10", "10.0.0.9", "fd00::1"]);
    expect(await lookupIPV4("a")).toEqual(["10.0.0.10", "10.0.0.9"]);
    expect(await lookupIPV6("a")).toEqual(["fd00::1"]);
  });

  it("are none for a name that does not exist, and an error when nobody answers", async () => {
    expect(await nameLookup(failing("ENOTFOUND")).lookupIP("gone")).toEqual([]);
    expect(await nameLookup(failing("ENODATA")).lookupSRV("a", "tcp", "gone")).toEqual([]);
    await using lab = await templateLab({ resolver: failing("EAI_AGAIN") });
    const error = await lab.failure("\n<%= (await it.lookupIP('app1')).length %>\n");
    expect(error.message).toContain("main.eta:2: cannot look up app1: query EAI_AGAIN");
  });
});

describe("service records", () => {
  it("are asked for by service, protocol and name, and sorted", async () => {
    await using server = await nameServer([
      { priority: 1, weight: 10, port: 8080, target: ["b", "example", "org"] },
      { priority: 0, weight: 5, port: 80, target: ["a", "example", "org"] },
    ]);
    const resolver = new dns.Resolver({ timeout: 1000, tries: 1 });
    resolver.setServers([`127.0.0.1:${server.port}`]);
    const { lookupSRV } = nameLookup({ ...SYSTEM_RESOLVER, srv: (name) => resolver.resolveSrv(name) });
    expect(await lookupSRV("http", "tcp", "example.org")).toEqual([
      { Target: "a.example.org.", Port: 80, Priority: 0, Weight: 5 },
      { Target: "b.example.org.", Port: 8080, Priority: 1, Weight: 10 },
    ]);
    await lookupSRV("", "", "plain.example.org");
    expect(server.asked).toEqual(["_http._tcp.example.org", "plain.example.org"]);
  });
});

interface ServiceRecord {
  priority: number;
  weight: number;
  port: number;
  target: readonly string[];
}

/** A name server on 127.0.0.1 that answers every question with the same records. */
async function nameServer(
  records: readonly ServiceRecord[],
): Promise<AsyncDisposable & { port: number; asked: readonly string[] }> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (query, from) => {
    const end = query.indexOf(0, 12) + 5; // Name, type and class of the question.
    asked.push(readName(query));
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180, 2);
    header.writeUInt16BE(records.length, 6);
    header.writeUInt32BE(0, 8);
    socket.send(
      Buffer.concat([header, query.subarray(12, end), ...records.map(answer)]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    asked,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, "close");
    },
  };
}

function readName(query: Buffer): string {
  const labels: string[] = [];
  for (
    let at = 12, length = query.readUInt8(at);
    length > 0;
    at += length + 1, length = query.readUInt8(at)
  ) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
  }
  return labels.join(".");
}

function answer(record: ServiceRecord): Buffer {
  const target = record.target.map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const data = Buffer.concat([Buffer.alloc(6), ...target, Buffer.alloc(1)]);
  [record.priority, record.weight, record.port].forEach((value, index) =>
    data.writeUInt16BE(value, 2 * index),
  );
  const head = Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, data.length]); // Name as asked, SRV, IN, 60 s.
  return Buffer.concat([head, data]);
}
