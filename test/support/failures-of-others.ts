import { type Pledge, pledge, shown } from "./pledge.ts";

/** That Rollcall does not fail as others of its kind have failed their users, by their own issues. */
export const FAILURES_OF_OTHERS: readonly Pledge[] = [
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
