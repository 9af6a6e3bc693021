import { existsSync } from "node:fs";
import { execa } from "execa";
import { installPackages } from "./apt.ts";
import { cachedArchive } from "./cached-archive.ts";
import { debianMirror } from "./debian.ts";
import { step } from "./progress.ts";

const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** A tar archive of a small Debian trixie with HAProxy and etcd; made once (about 20 s, needs root). */
export function debianRoot(recipe: string): Promise<string> {
  return cachedArchive(`debian-${recipe}.tar`, async (file) => {
    await installPackages(["mmdebstrap"]);
    const include = "--include=haproxy,ca-certificates,etcd-server,etcd-client";
    const without = ["doc", "locale", "man"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
    // Trust what this machine trusts, which on a company's network is more than Debian's own list.
    const trust = existsSync(certificates) ? [`--customize-hook=copy-in ${certificates} /etc/ssl/certs`] : [];
    const options = ["--variant=minbase", "--format=tar", include, ...without, ...trust];
    await step("images: unpacking Debian trixie with HAProxy and etcd", async () => {
      await execa("mmdebstrap", [...options, "trixie", file, await debianMirror()]);
    });
  });
}
