import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { withLock } from "./lock.ts";
import { step } from "./progress.ts";

const servicePolicy = "/usr/sbin/policy-rc.d";
const env = { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };

/**
 * Installs the named Debian packages that are missing, without their recommendations, and keeps their services
 * from starting now or at boot: the lab starts what it needs itself.
 * @throws Error that says what to run, when a package is missing and this is not root.
 */
export async function installPackages(names: readonly string[]): Promise<void> {
  if ((await missingPackages(names)).length === 0) return;
  await withLock("apt", async () => {
    const missing = await missingPackages(names);
    if (missing.length === 0) return;
    if (process.getuid?.() !== 0) {
      throw new Error(`Missing Debian packages. Run as root: apt-get install -y ${missing.join(" ")}`);
    }
    await step(`apt: installing ${missing.join(" ")}`, () => withoutServices(() => install(missing)));
    await disableServices(missing);
  });
}

async function missingPackages(names: readonly string[]): Promise<string[]> {
  const { stdout } = await execa("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\\n", ...names], {
    reject: false, // It fails when one of the names is unknown, and lists the others all the same.
  });
  const installed = new Set((stdout ?? "").split("\n"));
  return names.filter((name) => !installed.has(`${name} installed`));
}

async function install(names: readonly string[]): Promise<void> {
  const args = ["install", "-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...names];
  const first = await execa("apt-get", args, { env, reject: false });
  if (!first.failed) return;
  // A fresh machine has no package lists, an old one has lists of packages that are gone.
  await execa("apt-get", ["update", "-q"], { env });
  await execa("apt-get", args, { env });
}

// Debian asks this file before it starts a service of a new package; 101 means "not allowed".
async function withoutServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(servicePolicy)) return work();
  await writeFile(servicePolicy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await work();
  } finally {
    await rm(servicePolicy, { force: true });
  }
}

const SERVICES: Record<string, readonly string[]> = {
  "docker.io": ["docker.service", "docker.socket"],
  "openssh-server": ["ssh.service", "ssh.socket"],
};

async function disableServices(packages: readonly string[]): Promise<void> {
  if (!existsSync("/run/systemd/system")) return;
  const units = packages.flatMap((name) => SERVICES[name] ?? []);
  if (units.length > 0) await execa("systemctl", ["disable", ...units], { reject: false });
}
