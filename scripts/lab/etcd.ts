import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { unpackPackages, type Suite } from "./debian.ts";
import { labPath } from "./lab-dir.ts";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

export type EtcdVersion = "3.4" | "3.5";

/** Paths of a server and its client. The client of 3.4 speaks API v3 only with `ETCDCTL_API=3`. */
export interface EtcdBinaries {
  etcd: string;
  etcdctl: string;
}

const suites: Record<EtcdVersion, Suite> = { "3.4": "bookworm", "3.5": "trixie" };

/**
 * An etcd of that branch, taken from Debian into the lab: no package is installed and no service started.
 * @throws Error when Debian no longer has that branch where we look for it.
 */
export async function etcdBinaries(version: EtcdVersion = "3.5"): Promise<EtcdBinaries> {
  const folder = labPath(`etcd-${version}`);
  const binaries = { etcd: join(folder, "usr/bin/etcd"), etcdctl: join(folder, "usr/bin/etcdctl") };
  if (existsSync(binaries.etcd)) return binaries;
  return withLock(`etcd-${version}`, async () => {
    if (existsSync(binaries.etcd)) return binaries;
    const suite = suites[version];
    const packages = ["etcd-server", "etcd-client"];
    await step(`etcd ${version}: unpacking from Debian ${suite}`, async () => {
      await unpackPackages({ suite, packages, into: folder, only: true });
      await verify(binaries, version).catch(async (error: unknown) => {
        await rm(folder, { recursive: true, force: true });
        throw error;
      });
    });
    return binaries;
  });
}

async function verify(binaries: EtcdBinaries, version: EtcdVersion): Promise<void> {
  for (const [binary, argument] of [
    [binaries.etcd, "--version"] as const,
    [binaries.etcdctl, "version"] as const,
  ]) {
    const { stdout } = await execa(binary, [argument], { env: { ETCDCTL_API: "3" } });
    const found = /version: (\S+)/i.exec(stdout)?.[1] ?? "unknown";
    if (!found.startsWith(`${version}.`)) {
      throw new Error(`Wanted etcd ${version} from Debian ${suites[version]}, which has ${found}.`);
    }
  }
}
