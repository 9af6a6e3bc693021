import { existsSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { bindLibraries } from "./bind-libraries.ts";
import { unpackPackages, type Suite } from "./debian.ts";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

/** The HAProxy branches that everything is tried on. */
export const haproxyVersions = ["2.6", "3.0", "3.2"] as const;
export type HaproxyVersion = (typeof haproxyVersions)[number];

// Which Debian release brings which branch. sid moves on; `build` notices.
const suites: Record<HaproxyVersion, Suite> = { "2.6": "bookworm", "3.0": "trixie", "3.2": "sid" };

/**
 * Path of a HAProxy of that branch: the machine's own when it fits, else one taken from another Debian release into
 * the lab. It is an ordinary executable, so that a master process can re-execute itself.
 * @throws Error when Debian no longer has that branch where we look for it.
 */
export async function haproxyBinary(version: HaproxyVersion): Promise<string> {
  const system = "/usr/sbin/haproxy";
  if ((await versionOf(system))?.startsWith(`${version}.`) === true) return system;
  const binary = labPath(`haproxy-${version}`, "haproxy");
  const isThere = async (): Promise<boolean> => (await versionOf(binary))?.startsWith(`${version}.`) === true;
  if (await isThere()) return binary;
  return withLock(`haproxy-${version}`, async () => {
    if (!(await isThere())) {
      const what = `haproxy ${version}: unpacking from Debian ${suites[version]}`;
      await step(what, () => build(version, binary));
    }
    return binary;
  });
}

/** The version that a HAProxy binary reports, such as "3.0.11", or null when it cannot be run. */
export async function versionOf(binary: string): Promise<string | null> {
  if (!existsSync(binary)) return null;
  const result = await execa(binary, ["-v"], { reject: false });
  return /^HAProxy version (\d+\.\d+\.\d+)/.exec(result.stdout)?.[1] ?? null;
}

async function build(version: HaproxyVersion, binary: string): Promise<void> {
  const suite = suites[version];
  const root = labPath(`haproxy-${version}`);
  await unpackPackages({ suite, packages: ["haproxy", "patchelf"], into: root });
  await copyFile(join(root, "usr/sbin/haproxy"), `${binary}.new`);
  await bindLibraries(root, `${binary}.new`);
  const found = await versionOf(`${binary}.new`);
  if (found?.startsWith(`${version}.`) !== true) {
    throw new Error(
      `Wanted HAProxy ${version} from Debian ${suite}, which has ${found ?? "none that runs"}.`,
    );
  }
  await rename(`${binary}.new`, binary);
}
