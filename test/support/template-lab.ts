import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildRoster, type Roster } from "../../src/core/roster.ts";
import { plainFields, type Server } from "../../src/core/server.ts";
import { snapshot } from "../../src/core/snapshot.ts";
import { RenderError } from "../../src/render/render-error.ts";
import { renderer, type Renderer } from "../../src/render/renderer.ts";
import { tempDir } from "./temp-dir.ts";

const DEFAULT_BACKEND = "webserver";

/** A server of the default backend with whatever a test says about it. */
export function server(given: Partial<Server> & Pick<Server, "name">): Server {
  const { name } = given;
  return {
    backend: DEFAULT_BACKEND,
    ...plainFields("10.0.0.1", 80),
    origin: { source: "etcd", id: `/app/servers/${name}`, revision: "7" },
    suffix: "etcd",
    ...given,
  };
}

/** A roster of some servers and keys, as one source would give them. */
export function roster(
  given: { servers?: readonly Server[]; keys?: Readonly<Record<string, string>> } = {},
): Roster {
  const keys = new Map(Object.entries(given.keys ?? {}));
  const picture = snapshot({ source: "etcd", revision: "7", servers: given.servers ?? [], keys });
  return buildRoster([picture], { defaultBackend: DEFAULT_BACKEND });
}

/** A folder of templates and a renderer of the one called `main.eta`. */
export interface TemplateLab extends AsyncDisposable, Renderer {
  readonly file: string;
  write(name: string, text: string): Promise<void>;
  /** Renders `text` as `main.eta`. */
  renderText(text: string, wanted?: Roster): Promise<string>;
  /** The error that rendering `text` ends with; its paths are shown without the folder. */
  failure(text: string, wanted?: Roster): Promise<RenderError>;
}

export async function templateLab(given: Partial<Parameters<typeof renderer>[0]> = {}): Promise<TemplateLab> {
  const folder = await tempDir();
  const file = join(folder.path, "main.eta");
  const options = {
    defaultBackend: DEFAULT_BACKEND,
    haproxySocket: "/run/h.sock",
    haproxyConfig: "/etc/h.cfg",
  };
  const made = renderer({ templateFile: file, options, env: {}, now: () => 0, ...given });
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), text);
  };
  const renderText = async (text: string, wanted = roster()): Promise<string> => {
    await write("main.eta", text);
    return made.render(wanted);
  };
  return {
    ...made,
    file,
    write,
    renderText,
    failure: async (text, wanted) => {
      try {
        await renderText(text, wanted);
      } catch (thrown) {
        if (!(thrown instanceof RenderError)) throw thrown;
        thrown.message = thrown.message.replaceAll(`${folder.path}/`, "");
        return thrown;
      }
      throw new Error("the template was rendered");
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
