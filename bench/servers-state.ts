/** What is asked of one who can be asked over HAProxy's stats socket. */
interface Shower {
  show(line: string): Promise<string>;
}

const [NAME, OP_STATE, ADMIN_STATE] = [3, 5, 6];
const UP = "2";

/** How many servers of the backend are up and in no maintenance, by `show servers state`. */
export async function readyServers(haproxy: Shower, backend: string): Promise<number> {
  const answer = await haproxy.show(`show servers state ${backend}`);
  const lines = answer.split("\n").filter((line) => /^\d+ /.test(line));
  const ready = lines
    .map((line) => line.split(" "))
    .filter((words) => words[OP_STATE] === UP && words[ADMIN_STATE] === "0");
  return new Set(ready.map((words) => words[NAME])).size;
}
