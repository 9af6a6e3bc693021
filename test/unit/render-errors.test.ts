import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roster, server, templateLab, type TemplateLab } from "../support/template-lab.ts";

let lab: TemplateLab;
beforeAll(async () => {
  lab = await templateLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("a template that fails says where and why", () => {
  const wanted = roster({ servers: [server({ name: "web1" })], keys: { "/k": "a\nb" } });
  it.each([
    ["undefined", "one\n\n  x <%= it.foo %>\n", 3, "the value is undefined, in: x <%= it.foo %>"],
    ["null", "<%= it.servers[0].weight %>", 1, "the value is null"],
    ["NaN", "<%= Number('x') %>", 1, "the value is NaN"],
    ["an object", "<%= it.servers[0] %>", 1, "the value is an object: print one of its fields"],
    ["a list", "<%= it.servers %>", 1, "the value is a list: join it, or print its items one by one"],
    ["a function", "<%= it.getv %>", 1, "the value is a function: call it"],
    ["a promise", "\n<%= it.lookupIP('localhost') %>", 2, "the value is a promise: write await"],
    [
      "a newline",
      "<%= it.getv('/k') %>",
      1,
      'the value holds a "\\n", which would begin another line: "a\\nb"',
    ],
    ["a carriage return", "<%= 'a\\rb' %>", 1, 'the value holds a "\\r"'],
    ["a NUL", "<%= 'a\\0b' %>", 1, 'the value holds a "\\u0000"'],
    ["a raw undefined", "<%~ it.foo %>", 1, "the value is undefined"],
    ["a raw NUL", "<%~ 'a\\0b' %>", 1, "the value holds a NUL character"],
    ["a TypeError", "a\n<% for (const s of it.servers) { %>\n<%= s.a.b %>\n<% } %>", 3, "reading 'b'"],
    ["a missing key", "<%= it.getv('/none') %>", 1, "key does not exist: /none"],
    ["something thrown that is no error", "<% throw 'stop' %>", 1, "stop"],
    ["an error after an await", "\n<% await 1; %>\n<% await it.x(); %>", 3, "it.x is not a function"],
    ["a bad expression", "one\n<%= it.( %>\n", 2, "Unexpected token '('"],
    ["a bad line of a long tag", "<%\n  const a = 1;\n  const = 2;\n%>\n", 3, "Unexpected token '='"],
    [
      "a thrown error in a long tag",
      "\n<%\n  const a = 1;\n  it.b.c;\n%>\n<%= 1 %>",
      4,
      "reading 'c'), in: it.b.c;",
    ],
    ["an error in a callback", "<%\n\n  it.servers.map((s) => {\n    s.x.y;\n  });\n%>\n", 4, "in: s.x.y;"],
    ["a value printed by a long tag", "\n<%=\n  it.foo\n%>\n", 2, "the value is undefined"],
    [
      "an awaited error",
      "\n<%\n\n await it.lookupIP();\n%>\n",
      4,
      "lookupIP: undefined is not a name, in: await it.lookupIP();",
    ],
    ["a tag left open", "one\ntwo <%= it.x\nthree\n", 2, "unclosed tag"],
    ["a text left open", "one\n<%= 'x %>\n", 2, "unclosed string"],
    ["a comment left open", "<%# x\n", 1, "unclosed tag"],
    [
      "a block left open",
      "a\n<% if (true) { %>\nb\n",
      2,
      "a block that was opened with { was never closed with }",
    ],
    [
      "a block closed twice",
      "<% if (true) { %>\n<% } %>\n<% } %>\nb\n",
      3,
      "a tag closes a block with } that none opens",
    ],
    ["an else too many", "a\n<% } else { %>\n<% } %>\n", 2, ""],
  ])("%s", async (_, text, line, reason) => {
    const error = await lab.failure(text, wanted);
    expect(error.message).toContain(`main.eta:${line}: `);
    expect(error.message).toContain(reason);
    expect(error).toMatchObject({ name: "RenderError", file: lab.file, line });
  });

  it("counts lines behind comments and statements that are taken out", async () => {
    const text = "<%# one\ntwo's\n%>\n  <% const x = 1; %>\n\n<% /* six */ %>\n<%= it.foo %>\n";
    expect(await lab.failure(text)).toMatchObject({ line: 7 });
  });

  it("counts lines of a file with CRLF", async () => {
    expect(await lab.failure("a\r\n<% const x = 1; %>\r\n<%= it.foo %>\r\n")).toMatchObject({ line: 3 });
  });

  it("a missing template", async () => {
    await using empty = await templateLab();
    await expect(empty.render(roster())).rejects.toThrow(`${empty.file}: ENOENT: no such file or directory`);
    expect(empty.files()).toEqual([empty.file]);
  });

  it("a template that is a folder", async () => {
    await using folder = await templateLab();
    await folder.write("main.eta/x", "");
    await expect(folder.render(roster())).rejects.toThrow("EISDIR");
  });

  it("a missing include", async () => {
    const error = await lab.failure("a\n<%~ include('parts/none.eta') %>\n");
    expect(error.message).toMatch(/^parts\/none\.eta: ENOENT.*\(included from main\.eta:2\)$/);
    expect(lab.files()).toEqual([lab.file, lab.file.replace("main.eta", "parts/none.eta")]);
  });

  it("an included file", async () => {
    await lab.write("parts/bad.eta", "fine\n<%= it.foo %>\n");
    const error = await lab.failure("\n\n<%~ include('parts/bad.eta') %>\n");
    expect(error.message).toMatch(
      /^parts\/bad\.eta:2: the value is undefined.*\(included from main\.eta:3\)$/,
    );
    await lab.write("parts/bad.eta", "\n\n<%= %>\n");
    expect(await lab.failure("<%~ include('parts/bad.eta') %>\n")).toMatchObject({ line: 3 });
  });

  it("a file that includes itself", async () => {
    expect((await lab.failure("<%~ include('main.eta') %>")).message).toContain(
      "Maximum call stack size exceeded",
    );
  });
});

it("gives up a render that awaits something for ever, and the next one is fine", async () => {
  await using slow = await templateLab({ timeoutMs: 30 });
  const error = await slow.failure("<% await new Promise(() => {}); %>");
  expect(error.message).toBe("main.eta: not rendered after 30 ms: it awaits something");
  expect(await slow.renderText("fine\n")).toBe("fine\n");
});

it("gives up when the signal aborts, before or meanwhile", async () => {
  await lab.write("main.eta", "<% await new Promise(() => {}); %>");
  const control = new AbortController();
  const rendered = lab.render(roster(), control.signal);
  control.abort();
  await expect(rendered).rejects.toThrow("stopped before the template was rendered");
  await expect(lab.render(roster(), control.signal)).rejects.toThrow("stopped");
});
