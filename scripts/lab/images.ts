import { createHash } from "node:crypto";
import { copyFile, cp, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";
import { appRoot } from "./app-root.ts";
import { debianRoot } from "./debian-root.ts";
import { docker, dockerEnv } from "./docker-cli.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

/** The images that the lab makes itself. They stand in for official ones where no image registry is reachable. */
export const localImages = ["debian", "haproxy", "etcd", "node", "app"] as const;
export type LocalImage = (typeof localImages)[number];

export const imageNames: Record<LocalImage, string> = {
  debian: "local/debian:trixie",
  haproxy: "local/haproxy:3.0",
  etcd: "local/etcd:3.5",
  node: "local/node:24",
  app: "local/app:1",
};

const recipes = join(import.meta.dirname, "images");
const appScript = join(import.meta.dirname, "../../test/support/app/server.ts");

interface EngineAddress {
  dockerHost: string;
}

/**
 * Makes sure that an engine has these images (all when none are named), and makes those that are missing or whose
 * recipe has changed. The slow part, Debian's files, is kept in the lab and used for every engine.
 */
export async function ensureImages(
  engine: EngineAddress,
  wanted: readonly LocalImage[] = localImages,
): Promise<void> {
  const needsDebian = wanted.some((image) => image !== "app" && image !== "debian");
  const all = localImages.filter((image) => wanted.includes(image) || (image === "debian" && needsDebian));
  const expected = new Map(
    await Promise.all(all.map(async (image) => [image, await recipeOf(image)] as const)),
  );
  const missing = async (): Promise<LocalImage[]> => {
    const present = await presentRecipes(engine, all);
    return all.filter((image) => !present.has(`${imageNames[image]} ${expected.get(image)}`));
  };
  if ((await missing()).length === 0) return;
  await withLock("images", async () => {
    for (const image of await missing()) await make(engine, image, expected.get(image) ?? "");
  });
}

// What an image was made from is kept in a label of it.
async function presentRecipes(engine: EngineAddress, images: readonly LocalImage[]): Promise<Set<string>> {
  const format = '{{index .RepoTags 0}} {{index .Config.Labels "rollcall.recipe"}}';
  const args = ["image", "inspect", "-f", format, ...images.map((image) => imageNames[image])];
  const { stdout } = await execa("docker", args, { env: dockerEnv(engine), reject: false });
  return new Set(stdout.split("\n"));
}

// A digest of everything that an image is made from, apart from the packages of Debian.
async function recipeOf(image: LocalImage): Promise<string> {
  const own = [`images/${image}.Dockerfile`, "debian-root.ts"];
  const sources: Record<LocalImage, string[]> = {
    debian: ["debian-root.ts"],
    haproxy: [...own, "images/docker-entrypoint.sh"],
    etcd: own,
    node: own,
    app: ["app-root.ts", appScript],
  };
  const hash = createHash("sha256").update(process.version);
  for (const source of sources[image]) hash.update(await readFile(resolve(import.meta.dirname, source)));
  return hash.digest("hex").slice(0, 12);
}

async function make(engine: EngineAddress, image: LocalImage, recipe: string): Promise<void> {
  const name = imageNames[image];
  const label = `rollcall.recipe=${recipe}`;
  if (image === "debian") {
    const file = await debianRoot(recipe);
    await step(`${name}: importing`, () => importRoot({ engine, file, name, changes: [`LABEL ${label}`] }));
  } else if (image === "app") {
    const file = await appRoot(recipe, appScript);
    const start = 'ENTRYPOINT ["/usr/bin/node", "/server.ts"]';
    const changes = [`LABEL ${label}`, start, "EXPOSE 8000", "ENV PATH=/usr/bin:/bin"];
    await step(`${name}: importing`, () => importRoot({ engine, file, name, changes }));
  } else {
    await step(`${name}: building`, () => build({ engine, image, name, label }));
  }
}

async function importRoot(given: {
  engine: EngineAddress;
  file: string;
  name: string;
  changes: readonly string[];
}): Promise<void> {
  const changes = given.changes.flatMap((change) => ["--change", change]);
  await docker(given.engine, "import", ...changes, given.file, given.name);
}

async function build(given: {
  engine: EngineAddress;
  image: LocalImage;
  name: string;
  label: string;
}): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), "rc-image-"));
  try {
    await cp(recipes, context, { recursive: true });
    if (given.image === "node") await addNode(context);
    const file = join(context, `${given.image}.Dockerfile`);
    await docker(given.engine, "build", "-q", "--label", given.label, "-t", given.name, "-f", file, context);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function addNode(context: string): Promise<void> {
  await copyFile(await realpath(process.execPath), join(context, "node"));
  const { stdout } = await execa("which", ["npm"]);
  // npm is started as .../npm/bin/npm-cli.js.
  await cp(dirname(dirname(await realpath(stdout))), join(context, "npm"), {
    recursive: true,
    dereference: true,
  });
}
