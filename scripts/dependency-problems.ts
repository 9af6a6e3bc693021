/** What package.json says. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One package of a lock file; only what is looked at here. */
export interface LockedPackage extends Manifest {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

/** Packages by their folder; "" is the project itself. */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

const EXACT = /^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?$/;

/** Of what comes with Rollcall; tools may have others. */
const LICENCES = ["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"];
const LICENCES_OF_TOOLS = [...LICENCES, "BlueOak-1.0.0", "MPL-2.0"];
/** MIT, said in an old form that the lock file does not take over. */
const OLD_FORM = ["buildcheck", "cpu-features", "ssh2"];

/** Scripts that npm would run at an install if .npmrc let it; nothing here needs them. */
const KNOWN_SCRIPTS = ["cpu-features", "protobufjs", "ssh2"];

/**
 * What is wrong with the packages, each with what to do. Nothing is asked over the network.
 * @param given.installed the lock file that npm leaves in node_modules: what this platform has.
 */
export function dependencyProblems(given: {
  manifest: Manifest;
  lock: Lock;
  installed: Lock;
  npmrc: string;
}): readonly string[] {
  const { manifest, lock, installed, npmrc } = given;
  const packages = Object.entries(lock.packages).filter(([folder]) => folder !== "");
  return [
    ...["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
      pinned(kind as keyof Manifest, { manifest, root: lock.packages[""] ?? {} }),
    ),
    ...packages.flatMap(([folder, one]) => problemsOf(folder, one)),
    ...Object.entries(installed.packages).flatMap(([folder, one]) =>
      same(folder, one, lock.packages[folder]),
    ),
    ...(/^ignore-scripts=true$/m.test(npmrc) ? [] : [".npmrc must say ignore-scripts=true"]),
  ];
}

function pinned(kind: keyof Manifest, given: { manifest: Manifest; root: Manifest }): readonly string[] {
  const wanted = given.manifest[kind] ?? {};
  const loose = Object.entries(wanted).filter(([, version]) => !EXACT.test(version));
  const isLocked = JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(given.root[kind] ?? {}));
  return [
    ...loose.map(([name, version]) => `${name}: write an exact version in place of "${version}"`),
    ...(isLocked ? [] : [`package-lock.json has other ${kind} than package.json: run "npm install"`]),
  ];
}

const sorted = (named: Readonly<Record<string, string>>) =>
  Object.entries(named).toSorted(([one], [other]) => (one < other ? -1 : 1));

const nameOf = (folder: string): string => folder.replace(/^.*node_modules\//, "");

function problemsOf(folder: string, one: LockedPackage): readonly string[] {
  const name = nameOf(folder);
  const licences = one.dev === true ? LICENCES_OF_TOOLS : LICENCES;
  // npm knows nothing more of a package for another platform than its version.
  const isKnown = one.integrity !== undefined;
  const isFree = OLD_FORM.includes(name) || licences.includes(one.license ?? "");
  return [
    ...(one.resolved === undefined ? [] : [`${name}: the lock file has a download address, remove it`]),
    ...(isKnown || one.optional === true ? [] : [`${name}: the lock file has no checksum`]),
    ...(!isKnown || isFree ? [] : [`${name}: licence "${one.license ?? "none"}" is not in the list`]),
    ...(one.hasInstallScript !== true || KNOWN_SCRIPTS.includes(name)
      ? []
      : [`${name} has an install script: see whether it works without, then add it to the list`]),
  ];
}

/** What is installed must be what is locked, with a checksum. */
function same(folder: string, one: LockedPackage, locked: LockedPackage | undefined): readonly string[] {
  if (one.integrity !== undefined && one.integrity === locked?.integrity) return [];
  return [`${nameOf(folder)}: installed is not what the lock file has a checksum of; run "npm ci"`];
}
