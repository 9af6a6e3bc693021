import { FAILURES_OF_OTHERS } from "./failures-of-others.ts";
import { type Pledge, pledge, type PledgeSection, shown } from "./pledge.ts";

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
  pledge(
    "Under changes without an end reloads come all the same, and the last state is served",
    shown(
      "integration/endless-changes",
      "under changes without an end, each of which takes a reload, reloads come all the same",
    ),
  ),
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
    "On a disk that is full or read-only HAProxy serves on, that is told, and made up for",
    shown(
      "integration/disk-faults",
      "changes go on, readiness says why nothing is remembered, and all is remembered afterwards",
      "HAProxy runs what its file holds, readiness says why, and the change is made afterwards",
    ),
  ),
  pledge(
    "Without a descriptor left Rollcall says so and HAProxy serves; both go on when there are some",
    shown(
      "integration/process-faults",
      "without a file descriptor left Rollcall says so, HAProxy serves, and all goes on when there are some",
    ),
  ),
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
    "A thousand servers fit into 192 MB with HAProxy; where memory runs short, Rollcall ends and HAProxy serves on",
    shown(
      "e2e/image-memory",
      "1,000 servers and 200 changes fit into 192 MB, with HAProxy",
      "where memory does not suffice, Rollcall is ended and HAProxy serves on; with more of it Rollcall is back",
    ),
    shown("e2e/image-faults", "is what the kernel ends first when memory runs short"),
  ),
  pledge(
    "A clock that jumps stalls nothing, and neither ends a drain nor prolongs it",
    shown("integration/process-faults", "a clock that jumps by a day stalls nothing and has nothing killed"),
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
  pledge(
    "Whatever hostile keys, labels and entries say, nothing but servers comes out of a template",
    shown(
      "golden/hostile",
      "nothing but names comes out, each of them one word",
      "HAProxy %s takes it without a warning",
    ),
  ),
  pledge(
    "A key that is written all the time holds up no other",
    shown(
      "integration/hostile-load",
      "a key that is written all the time holds up no other, and HAProxy has little work",
    ),
  ),
  pledge(
    "A container that changes a thousand times a second holds up no other",
    shown(
      "contract/docker-churn",
      "a container that changes a thousand times a second holds up no other, and costs few lists",
    ),
  ),
  pledge(
    "Something else on HAProxy's socket does no harm",
    shown(
      "integration/hostile-load",
      "something else on HAProxy's socket: no crash, the file stays good, and it is told",
    ),
  ),
];

/** What is promised to users, and the tests that show it: docs/reliability.md has the same. */
export const PLEDGES: readonly PledgeSection[] = [
  { title: "Thirty ways in which others fail", pledges: FAILURES_OF_OTHERS },
  { title: "No request is lost", pledges: REQUESTS },
  { title: "Nothing is taken out by mistake", pledges: LOSS },
  { title: "etcd in trouble", pledges: ETCD },
  { title: "Rollcall itself", pledges: ITSELF },
];
