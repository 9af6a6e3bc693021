import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";

export type Suite = "bookworm" | "trixie" | "sid";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Unpacks Debian packages of another release into a folder of their own, with everything they depend on, without
 * touching the machine's package database. Needs no root.
 * @param options.into Folder that is created in one go, when all is unpacked; replaced when it exists.
 * @param options.only Unpack just these packages, not their dependencies.
 * @throws Error when this is no Debian machine or the mirror cannot be reached.
 */
export async function unpackPackages(options: {
  suite: Suite;
  packages: readonly string[];
  into: string;
  only?: boolean;
}): Promise<void> {
  await withLock(`suite-${options.suite}`, async () => {
    const archives = labPath("apt", options.suite, "cache/archives");
    await rm(archives, { recursive: true, force: true });
    await mkdir(join(archives, "partial"), { recursive: true });
    await download(options.suite, options.packages);
    await unpack({ archives, into: options.into, names: options.only === true ? options.packages : null });
    await rm(archives, { recursive: true, force: true });
  });
}

async function download(suite: Suite, packages: readonly string[]): Promise<void> {
  const apt = (...args: string[]) => execa("apt-get", [...aptOptions(suite), ...args]);
  const lists = labPath("apt", suite, "state/lists");
  if (!(await isFresh(lists))) {
    await writeSources(suite);
    await apt("-q", "update");
  }
  await apt("-q", "-y", "--download-only", "install", ...packages);
}

async function isFresh(lists: string): Promise<boolean> {
  const found = await stat(join(lists, "lock")).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs < dayMs && (await readdir(lists)).length > 3;
}

async function writeSources(suite: Suite): Promise<void> {
  const root = labPath("apt", suite);
  await rm(root, { recursive: true, force: true });
  for (const folder of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const signedBy = existsSync(keyring) ? `[signed-by=${keyring}] ` : "";
  await writeFile(join(root, "status"), ""); // An empty machine: every dependency counts as missing.
  await writeFile(join(root, "sources.list"), `deb ${signedBy}${await debianMirror()} ${suite} main\n`);
}

function aptOptions(suite: Suite): string[] {
  const root = labPath("apt", suite);
  const settings = [
    `Dir::State=${root}/state`,
    `Dir::State::status=${root}/status`,
    `Dir::Cache=${root}/cache`,
    `Dir::Etc::sourcelist=${root}/sources.list`,
    "Dir::Etc::sourceparts=/dev/null",
    "APT::Sandbox::User=root",
    "APT::Install-Recommends=false",
    "APT::Update::Post-Invoke-Success::=true", // Hooks of the machine are none of our business.
    "Acquire::Languages=none",
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}

/** The address of the Debian mirror that this machine's own apt uses. */
export async function debianMirror(): Promise<string> {
  const format = "$(ORIGIN) $(RELEASE) $(COMPONENT) $(REPO_URI)";
  const args = ["indextargets", "--format", format, "Created-By: Packages"];
  const known = await execa("apt-get", args);
  // Without package lists, as on a machine that was just installed, apt names no source that it has not asked yet.
  const all = await execa("apt-get", [...args, "--no-release-info"]);
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "sid";
  for (const line of [...known.stdout.split("\n"), ...all.stdout.split("\n")]) {
    const target = /^(\S*) (\S+) main (\S+)$/.exec(line);
    if (target?.[3] !== undefined && isDebian(target[1]) && target[2] === codename) return target[3];
  }
  throw new Error(
    `No Debian mirror for "${codename} main" in apt's sources: the lab needs a Debian machine.`,
  );
}

// Without package lists the origin is not known yet.
function isDebian(origin: string | undefined): boolean {
  return origin === "Debian" || origin === "" || origin === "$(ORIGIN)";
}

async function unpack(options: {
  archives: string;
  into: string;
  names: readonly string[] | null;
}): Promise<void> {
  const unfinished = `${options.into}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const archives = (await readdir(options.archives)).filter((file) => file.endsWith(".deb"));
  for (const file of archives) {
    const name = file.slice(0, file.indexOf("_"));
    if (options.names !== null && !options.names.includes(name)) continue;
    await execa("dpkg", ["-x", join(options.archives, file), unfinished]);
  }
  await rm(options.into, { recursive: true, force: true });
  await rename(unfinished, options.into);
}
