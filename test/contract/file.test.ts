import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileSource } from "../../src/discovery/file.ts";
import { eventually } from "../support/eventually.ts";
import { runSource, type SourceRun } from "../support/run-source.ts";
import { tempDir } from "../support/temp-dir.ts";
import { sourceContract, type ContractSubject } from "./source-contract.ts";

const textOf = (names: readonly string[]): string =>
  names.length === 0 ? "{}\n" : names.map((name) => `${name}: 10.0.0.1:80\n`).join("");

/** Nothing else in these tests watches a folder. */
const watches = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === "FSEventWrap").length;

async function fileSubject(): Promise<ContractSubject & { path: string }> {
  const dir = await tempDir();
  const path = join(dir.path, "servers.yaml");
  let names: readonly string[] = [];
  return {
    path,
    source: fileSource({ path, defaultBackend: "webserver" }),
    want: (wanted) => {
      names = wanted;
      return writeFile(path, textOf(names));
    },
    break: () => writeFile(path, "web1: [unclosed\n"),
    mend: () => writeFile(path, textOf(names)),
    handles: watches,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

sourceContract("the file source", fileSubject);

describe("the file source", () => {
  test("reads values in all forms, and quarantines what is wrong with its line", async () => {
    await using subject = await fileSubject();
    await writeFile(
      subject.path,
      [
        "# servers outside of the registry",
        "web1: 10.0.0.1:80 weight=5",
        "api/x: { address: '[fd00::1]:80', check: { path: /healthz } }",
        "7: a:80",
        "bad: 10.0.0.1",
        "worse: 80",
        "none:",
        "a/b/c: 10.0.0.1:80",
        'json: \'{"address":"b:80","tags":["x"]}\'',
      ].join("\n"),
    );
    await using run = runSource(subject.source);
    await eventually(() => expect(run.names()).toEqual(["7", "json", "web1", "x"]));
    const [found] = run.snapshots;
    expect(found?.servers[1]).toMatchObject({
      backend: "api",
      address: "fd00::1",
      check: { path: "/healthz" },
    });
    expect(found?.servers[0]).toMatchObject({
      suffix: "file",
      origin: { source: "file", id: `${subject.path}:2` },
    });
    expect(found?.quarantined.map(({ origin, reason }) => `${origin.id.split(":")[1]} ${reason}`)).toEqual([
      expect.stringMatching(/^5 "bad": "10.0.0.1" is not HOST:PORT/),
      expect.stringMatching(/^6 "worse": the value must be HOST:PORT or a mapping/),
      expect.stringMatching(/^7 "none": the value must be/),
      expect.stringMatching(/^8 "a\/b\/c": key "a\/b\/c" is too deep/),
    ]);
  });

  test.each([
    ["an empty file, as it is in the middle of a write", "", /servers\.yaml:1:1: expected a mapping/],
    ["a list", "- a:80\n", /servers\.yaml:1:1: expected a mapping/],
    ["a name twice", "web1: a:80\nweb1: b:80\n", /servers\.yaml:2:1: Map keys must be unique/],
    ["a broken text", "web1: a:80\nweb2: {\n", /servers\.yaml:3:1: /],
    ["bytes that are no text", Buffer.of(0x77, 0x3a, 0x20, 0xff), /servers\.yaml: not UTF-8 text/],
    ["an alias bomb", bomb(), /servers\.yaml:\d+:1: cannot be resolved: Excessive alias count/],
  ])("%s is an error that names the place", async (_, text, reason) => {
    await using subject = await fileSubject();
    await writeFile(subject.path, text);
    await using run = runSource(subject.source);
    expect(await run.ended).toMatchObject({
      name: "SourceError",
      message: expect.stringMatching(reason) as string,
    });
    expect(run.snapshots).toEqual([]);
  });

  test("a file that is missing is an error; so are a folder and a device", async () => {
    await using subject = await fileSubject();
    const failure = async (path: string): Promise<string> => {
      await using run = runSource(fileSource({ path, defaultBackend: "webserver" }));
      return (await run.ended)?.message ?? "none";
    };
    expect(await failure(subject.path)).toContain("ENOENT");
    await mkdir(subject.path);
    expect(await failure(subject.path)).toContain("not a regular file");
    expect(await failure("/dev/zero")).toContain("not a regular file");
  });

  test("a file that is removed is an error, and another one in its place is read again", async () => {
    await using subject = await fileSubject();
    await subject.want(["web1"]);
    await using run = await startedRun(subject);
    await rm(subject.path);
    expect(await run.ended).toMatchObject({ name: "SourceError" });
  });

  test("a file replaced by renaming is seen, as editors do it", async () => {
    await using subject = await fileSubject();
    await subject.want(["web1"]);
    await using run = await startedRun(subject);
    for (const names of [["web2"], ["web3"]]) {
      await writeFile(`${subject.path}.new`, textOf(names));
      await rename(`${subject.path}.new`, subject.path);
      await eventually(() => expect(run.names()).toEqual(names), { timeoutMs: 1500 });
    }
  });

  test("a link that is turned to another folder is seen, as Kubernetes does it", async () => {
    await using dir = await tempDir();
    const at = (...parts: string[]): string => join(dir.path, ...parts);
    for (const [folder, name] of [
      ["first", "web1"],
      ["second", "web2"],
    ] as const) {
      await mkdir(at(folder));
      await writeFile(at(folder, "servers.yaml"), textOf([name]));
    }
    await symlink("first", at("..data"));
    await symlink("..data/servers.yaml", at("servers.yaml"));
    await using run = runSource(fileSource({ path: at("servers.yaml"), defaultBackend: "webserver" }));
    await eventually(() => expect(run.names()).toEqual(["web1"]));
    await symlink("second", at("..data.new"));
    await rename(at("..data.new"), at("..data"));
    await eventually(() => expect(run.names()).toEqual(["web2"]), { timeoutMs: 1500 });
  });

  test("a change that causes no event in the watched folder is seen by the slow look", async () => {
    await using dir = await tempDir();
    const [file, link] = [join(dir.path, "real.yaml"), join(dir.path, "conf", "servers.yaml")];
    await mkdir(join(dir.path, "conf"));
    await writeFile(file, textOf(["web1"]));
    await symlink(file, link);
    await using run = runSource(fileSource({ path: link, defaultBackend: "webserver" }));
    await eventually(() => expect(run.names()).toEqual(["web1"]));
    await writeFile(file, textOf(["web2"]));
    await eventually(() => expect(run.names()).toEqual(["web2"]), { timeoutMs: 5000 });
  });

  test("a folder that is replaced as a whole is seen, and watched again", async () => {
    await using dir = await tempDir();
    const folder = join(dir.path, "conf");
    const path = join(folder, "servers.yaml");
    await mkdir(folder);
    await writeFile(path, textOf(["web1"]));
    await using run = runSource(fileSource({ path, defaultBackend: "webserver" }));
    await eventually(() => expect(run.names()).toEqual(["web1"]));
    const next = join(dir.path, "next");
    await mkdir(next);
    await writeFile(join(next, "servers.yaml"), textOf(["web2"]));
    await rename(folder, join(dir.path, "old"));
    await rename(next, folder);
    await eventually(() => expect(run.names()).toEqual(["web2"]), { timeoutMs: 5000 });
    await writeFile(path, textOf(["web3"]));
    await eventually(() => expect(run.names()).toEqual(["web3"]), { timeoutMs: 1500 });
  });
});

async function startedRun(subject: ContractSubject): Promise<SourceRun> {
  const run = runSource(subject.source);
  await eventually(() => expect(run.names()).toEqual(["web1"]));
  return run;
}

/** A few lines that would be billions of values. */
function bomb(): string {
  const lines = ["a0: &a0 { address: 'a:80' }"];
  for (let n = 1; n < 12; n++) {
    const parts = Array.from({ length: 10 }, () => `*a${n - 1}`).join(", ");
    lines.push(`a${n}: &a${n} { tags: [${parts}] }`);
  }
  return lines.join("\n");
}
