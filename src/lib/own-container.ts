/** What a process can read about itself; each text may be empty. */
export interface OwnTraces {
  /** `/proc/self/mountinfo` */
  readonly mountinfo: string;
  /** `/proc/self/cgroup` */
  readonly cgroup: string;
  readonly hostname: string;
  /** Whether `/.dockerenv` exists. */
  readonly dockerenv: boolean;
}

/** These files of a container are mounts of the engine's files, which lie in a folder named after the container. */
const OWN_FILES = new Set(["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"]);
const FOLDER = /\/(?:overlay-)?containers\/([0-9a-f]{64})\//;
const CGROUP = /[/-]([0-9a-f]{64})(?:\.scope)?$/m;

/**
 * The id of the container that this process runs in, or its first twelve digits; undefined outside of containers.
 *
 * A mount from some container's folder is not enough: the host itself has such mounts (`…/mounts/shm`). Only those
 * that stand on one of the process's own files count. Where a user mounted other files there, the cgroup tells it
 * (not with a private cgroup namespace), else the host name that the engine gave.
 */
export function ownContainerId(traces: OwnTraces): string | undefined {
  for (const line of traces.mountinfo.split("\n")) {
    const [, , , root = "", mountPoint = ""] = line.split(" ");
    const id = OWN_FILES.has(mountPoint) ? FOLDER.exec(root)?.[1] : undefined;
    if (id !== undefined) return id;
  }
  const fromCgroup = CGROUP.exec(traces.cgroup)?.[1];
  if (fromCgroup !== undefined) return fromCgroup;
  return traces.dockerenv && /^[0-9a-f]{12}$/.test(traces.hostname) ? traces.hostname : undefined;
}
