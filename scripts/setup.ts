/**
 * Brings what demo, tests and bench need and a fresh Debian machine does not have: HAProxy in three versions, etcd,
 * a Docker engine, images for it, wrk and socat. What is there already costs nothing.
 *
 * node scripts/setup.ts [haproxy] [etcd] [docker] [images] [wrk] [socat]    all parts when none is named
 * node scripts/setup.ts stop                                        ends the lab's own Docker engine
 */
import { installPackages } from "./lab/apt.ts";
import { docker } from "./lab/docker-cli.ts";
import { etcdBinaries } from "./lab/etcd.ts";
import { haproxyBinary, haproxyVersions, versionOf } from "./lab/haproxy.ts";
import { ensureImages, imageNames } from "./lab/images.ts";
import { ready } from "./lab/progress.ts";
import { sharedEngine, stopSharedEngine } from "./lab/shared-engine.ts";

const parts: Record<string, () => Promise<void>> = {
  async haproxy() {
    for (const version of haproxyVersions) {
      const binary = await haproxyBinary(version);
      ready(`haproxy ${version}: ready (${await versionOf(binary)})`);
    }
  },
  async etcd() {
    for (const version of ["3.4", "3.5"] as const) {
      await etcdBinaries(version);
      ready(`etcd ${version}: ready`);
    }
  },
  async docker() {
    const engine = await sharedEngine();
    const version = await docker(engine, "version", "-f", "{{.Server.Version}}");
    ready(`docker engine: ready (${version}, ${engine.kind === "lab" ? "our own" : "this machine's"})`);
  },
  async images() {
    await ensureImages(await sharedEngine());
    ready(`images: ready (${Object.values(imageNames).join(", ")})`);
  },
  async wrk() {
    await installPackages(["wrk"]);
    ready("wrk: ready");
  },
  /** For the shell loop that the bench compares with. */
  async socat() {
    await installPackages(["socat"]);
    ready("socat: ready");
  },
};

async function main(names: readonly string[]): Promise<void> {
  if (names.includes("stop")) return stopSharedEngine();
  const unknown = names.filter((name) => parts[name] === undefined);
  if (unknown.length > 0) {
    throw new Error(
      `Unknown part: ${unknown.join(", ")}. There are: ${Object.keys(parts).join(", ")}, stop.`,
    );
  }
  for (const [name, part] of Object.entries(parts)) {
    if (names.length === 0 || names.includes(name)) await part();
  }
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`setup: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
