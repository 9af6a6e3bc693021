/** A test, by its file and its title as the file has it, `%s` and the like included. */
export interface ShownBy {
  readonly file: string;
  readonly title: string;
}

/** Something that users rely on. */
export interface Pledge {
  readonly what: string;
  /** Empty = no test shows it. */
  readonly shownBy: readonly ShownBy[];
}

export interface PledgeSection {
  readonly title: string;
  readonly pledges: readonly Pledge[];
}

const shown = (file: string, ...titles: readonly string[]): readonly ShownBy[] =>
  titles.map((title) => ({ file: `test/${file}.test.ts`, title }));
const pledge = (what: string, ...shownBy: readonly (readonly ShownBy[])[]): Pledge => ({
  what,
  shownBy: shownBy.flat(),
});

/** The first section: ways in which others of Rollcall's kind have failed their users, by their own issues. */
const FAILURES: readonly Pledge[] = [
  pledge(
    "After etcd was stopped and started again, changes are served without a restart",
    shown(
      "integration/etcd-faults",
      "goes on serving, costs next to nothing, and converges when etcd is back with other content",
    ),
  ),
  pledge(
    "A network that swallows everything is noticed within 30 s",
    shown("integration/etcd-faults", "notices a silent black hole within 30 s, and what changed behind it"),
  ),
  pledge(
    "A login that expires is renewed, and no server disappears",
    shown(
      "contract/etcd-access",
      "a login that expires is renewed in passing, and after a break of the connection",
    ),
  ),
  pledge(
    "A compaction past what was seen loses neither a deletion nor a change",
    shown("integration/etcd-faults", "finds its way after a compaction past what it had seen"),
  ),
  pledge(
    "While etcd is away the configuration stays as it is, and Rollcall costs next to nothing",
    shown(
      "integration/etcd-faults",
      "goes on serving, costs next to nothing, and converges when etcd is back with other content",
    ),
  ),
  pledge(
    "A store that comes back empty, or an engine that fails, takes no server out",
    shown("integration/hold", "with the whole store are served on without a failed request"),
    shown(
      "e2e/engine",
      "takes no request with it when it is ended by %s, and is followed again when it is back",
    ),
  ),
  pledge(
    "The last server, deleted on purpose, does go",
    shown(
      "integration/serve",
      "serves what is put, drops what is deleted, and answers 503 when the last server is gone",
    ),
  ),
  pledge(
    "A cold start with etcd down serves what was known last, and tells its age",
    shown(
      "integration/state",
      "with etcd down and nothing else left, what was known is served, and its age is told",
    ),
  ),
  pledge(
    "One malformed value of a hundred leaves ninety-nine served, and is named with its reason",
    shown(
      "integration/serve",
      "serves ninety-nine when one of a hundred is malformed, and says which and why",
    ),
  ),
  pledge(
    "A line break, `#` or a quote in a value never reaches the configuration",
    shown("unit/server-value.fuzz", "nearly right text, in which nothing odd is ever accepted"),
    shown(
      "unit/container-servers.fuzz",
      "whatever containers say: nothing throws, what is served is safe, what is shown is printable and short",
    ),
  ),
  pledge(
    "After a refused configuration the next good change is taken without a restart",
    shown(
      "integration/haproxy-faults",
      "keeps what runs when the candidate is %s, and takes the next good one",
    ),
  ),
  pledge(
    "A reload that failed or was lost is repeated until it is proven, though the file changes no more",
    shown(
      "integration/haproxy-faults",
      "repeats a reload that failed, though the file does not change any more",
      "loses no change to a signal that is lost, because somebody else reloads all the time",
    ),
  ),
  pledge(
    "Only the new worker's own answer counts as a reload",
    shown("integration/haproxy-faults", "puts HAProxy right when somebody reloaded an older file"),
  ),
  pledge(
    "200 changes in a second take at most three reloads, and the last state is served",
    shown(
      "integration/serve",
      "needs at most three reloads for 200 changes in a second, and serves the last state",
    ),
  ),
  pledge(
    "A change in the rate limit's window is applied at its end, without another event",
    shown(
      "integration/serve",
      "needs at most three reloads for 200 changes in a second, and serves the last state",
    ),
  ),
  pledge(
    "Keepalives, equal values and other prefixes cause no reload",
    shown("integration/serve", "reloads for nothing but a real change"),
  ),
  pledge(
    "Reload upon reload leaves neither zombies nor many old workers",
    shown(
      "integration/load",
      "fails no request in 60 s while servers come and go 60 times, each time by a reload",
    ),
    shown("e2e/image-faults", "comes back when it is killed, HAProxy answers meanwhile, and no zombie stays"),
  ),
  pledge(
    "SIGKILL at any moment leaves a whole, valid file; a bind mount of a single file is told of",
    shown(
      "integration/crash",
      "leaves a complete, valid file when it is killed at any moment, and converges afterwards",
    ),
    shown(
      "integration/commands",
      "sees a bind mount of a single file, and the daemon says so too instead of writing beside it",
    ),
  ),
  pledge(
    "After the engine was started again, what changed meanwhile is seen, also with live-restore",
    shown("contract/docker-faults", "after %s, with changes meanwhile"),
    shown(
      "contract/docker-restarts",
      "with live-restore a stop signal is remembered over restarts, and the others stay",
    ),
  ),
  pledge(
    "A container that is killed, or whose event was missed, is out",
    shown("contract/docker-life", "kill -9 and death by itself"),
    shown("contract/docker-faults", "what the engine's list shows only after its event is seen"),
  ),
  pledge(
    "When a host vanishes, its own servers go with it, and what was written by hand stays",
    shown("e2e/hosts", "takes nothing with it but its own servers, and is served again when it is back"),
  ),
  pledge(
    "`docker stop` takes no request with it, and `docker kill -s HUP` takes nothing out",
    shown("e2e/containers", "by docker stop takes no request with it", "is not meant by docker kill -s %s"),
  ),
  pledge(
    "A container is not served before it is healthy",
    shown("e2e/containers", "is out while its health check fails, and comes in only when it is healthy"),
  ),
  pledge(
    "On several networks the address is the documented one, and the host's network breaks nothing",
    shown(
      "contract/docker-networks",
      "on two networks: by label, by option, else refused; never a random one",
      "the host's network: its loopback from the host, refused from a container, the host's address when wanted",
    ),
  ),
  pledge(
    "An address that another container has taken over is that one's alone",
    shown("contract/docker-networks", "an address that another container takes over is that one's alone"),
    shown(
      "contract/docker-restarts",
      "an address and a name that another container takes at once are that one's",
    ),
  ),
  pledge(
    "A template that fails keeps what runs, and a mended one is taken without a restart",
    shown(
      "integration/haproxy-faults",
      "keeps what runs when the candidate is %s, and takes the next good one",
    ),
  ),
  pledge(
    "A HAProxy that is not in master-worker mode gets no signal, and that is said",
    shown("integration/reload-ways", "not at all when it is not in master-worker mode, and that is said"),
  ),
  pledge(
    "A host has one lease to refresh, whatever the number of its containers",
    shown(
      "contract/registrar",
      "servers come, change and go, all on one lease, and those that go are drained first",
      "500 servers are written in nine transactions",
    ),
  ),
  pledge(
    "The same input gives the same bytes",
    shown("golden/golden", "is rendered as recorded"),
    shown("unit/roster", "is the same for the same servers in any order"),
  ),
  pledge(
    "A drain that is taken back, or whose container was started again, leads back to full weight",
    shown(
      "integration/operator",
      "add, weight, drain, ready, maint and rm do what they say, and lose no request",
    ),
    shown("contract/docker-life", "a restart comes back, with another revision"),
  ),
];

const REQUESTS: readonly Pledge[] = [
  pledge(
    "A thousand changes under load fail no request and take no reload",
    shown("integration/thousand-changes", "HAProxy %s: no request fails, nothing is reloaded"),
  ),
  pledge(
    "Sixty reloads in a minute fail no request",
    shown(
      "integration/load",
      "fails no request in 60 s while servers come and go 60 times, each time by a reload",
    ),
  ),
  pledge(
    "What runs is what is wanted after each of many kills of HAProxy's worker, its master, Rollcall, or both",
    shown("integration/random-kills", "HAProxy %s converges each time"),
  ),
  pledge(
    "Random faults on every part at once fail no request without a cause, and end with what is wanted",
    shown("e2e/soak", "finds nothing that is unexplained, and leaves nothing behind"),
  ),
  pledge(
    "What somebody else changes in HAProxy is put right",
    shown("integration/drift", "HAProxy %s is put right within a minute", "HAProxy %s is put right at once"),
  ),
  pledge("Under changes without an end a reload still comes, every second at the latest"),
];

const LOSS: readonly Pledge[] = [
  pledge(
    "What vanishes with its lease is served on while HAProxy sees it UP; what is deleted or drained goes at once",
    shown(
      "integration/hold",
      "with their lease are served on while they are UP; what is deleted or drained goes at once",
      "are removed when the time is over",
    ),
  ),
  pledge(
    "A host that is cut off from etcd for longer than its lease is served on",
    shown("e2e/hosts", "is served on, and has the same keys as before when it is back"),
  ),
  pledge(
    "An agent that is killed loses nothing and comes back with one write",
    shown("e2e/hosts", "writes one key when it is back, and no request is lost"),
  ),
  pledge(
    "What vanished while Rollcall was away is held, what was deleted is not",
    shown("integration/state", "what vanished while Rollcall was away is held, what was deleted is not"),
  ),
  pledge(
    "An earlier configuration can be brought back, and stays until it is released",
    shown(
      "integration/state",
      "an earlier configuration can be brought back, and stays until it is released",
    ),
  ),
  pledge(
    "A deletion of more than half of a backend is done, told, and in the history",
    shown("integration/state", "more than half of a backend at once: done, told, and in the history"),
  ),
  pledge(
    "A state folder that is cut off, from the future, or not to be had does no harm",
    shown(
      "integration/state",
      "a state folder that is cut off, from the future, or not to be had does no harm",
    ),
    shown(
      "unit/state",
      "a file that is cut off anywhere, or has any byte changed, is never taken for a whole one",
    ),
  ),
  pledge(
    "A key that was written by hand is never edited or deleted",
    shown(
      "contract/registrar",
      "a manual key wins: it is never written, and the container's server gets another name",
    ),
    shown("e2e/hosts", "leave nothing behind but what was written by hand"),
  ),
];

const ETCD: readonly Pledge[] = [
  pledge(
    "A cluster with certificates and users that loses its leader, while changes go on, loses no change",
    shown(
      "contract/etcd-cluster",
      "three members with certificates and users lose their leader twice while changes go on",
    ),
  ),
  pledge(
    "Without a majority that is said, and mended with it; a member that is silent is left for another one",
    shown(
      "contract/etcd-faults",
      "says that there is no leader when two are stopped, and recovers with the majority",
      "goes to another one when its own is silent",
    ),
  ),
  pledge(
    "Certificates that are renewed on disk are taken without a restart",
    shown("contract/etcd-access", "both sides prove who they are; new files are taken without a restart"),
  ),
  pledge(
    "More keys than the limit are refused, and what was there is served on",
    shown("contract/etcd-source", "refuses more keys than its limit, in the list and in the watch"),
  ),
  pledge("etcd members that are cut off from one another, but not from Rollcall"),
];

const ITSELF: readonly Pledge[] = [
  pledge(
    "A hang ends Rollcall, so that it is started again; HAProxy serves on",
    shown(
      "integration/watchdog",
      "a template that never ends: Rollcall ends itself, HAProxy serves, and a mended one is picked up",
    ),
  ),
  pledge(
    "Killed in the image it comes back, HAProxy answers meanwhile, and no zombie stays",
    shown("e2e/image-faults", "comes back when it is killed, HAProxy answers meanwhile, and no zombie stays"),
  ),
  pledge(
    "Where memory runs short, Rollcall ends before HAProxy",
    shown("e2e/image-faults", "is what the kernel ends first when memory runs short"),
  ),
  pledge(
    "A clock that jumps neither ends a drain nor prolongs it",
    shown("contract/docker-restarts", "a clock that jumps neither ends a drain nor prolongs it"),
  ),
  pledge(
    "Passwords and tokens stay in their files, and files have the modes that were promised",
    shown(
      "integration/secrets",
      "passwords and tokens stay in their files: not in answers, logs, output, arguments, other files",
      "files have the modes that were promised",
    ),
  ),
  pledge(
    "The image runs without root, on a file system that is read-only",
    shown(
      "e2e/image",
      "serves at once, without a source in reach: process 1 is HAProxy, nobody is root, nothing is writable",
    ),
  ),
  pledge("One container whose labels change a thousand times a second does not slow down others"),
  pledge("Descriptors that run out"),
];

/** What is promised to users, and the tests that show it: docs/reliability.md has the same. */
export const PLEDGES: readonly PledgeSection[] = [
  { title: "Thirty ways in which others fail", pledges: FAILURES },
  { title: "No request is lost", pledges: REQUESTS },
  { title: "Nothing is taken out by mistake", pledges: LOSS },
  { title: "etcd in trouble", pledges: ETCD },
  { title: "Rollcall itself", pledges: ITSELF },
];
