/**
 * Requests that a filter in front of a Docker engine has to refuse, by what they try. Each is the bytes as they go over
 * the wire: an HTTP client would mend half of them.
 */
export function hostileRequests(): ReadonlyMap<string, string> {
  const id = "0123456789abcdef".repeat(4);
  const container = `/containers/${id}`;
  const lines = [
    ...WRITES.map((target) => `POST ${target.replace("ID", id)}`),
    ...READS.map((target) => `GET ${target.replace("ID", id)}`),
    ...spellings(container).map((target) => `GET ${target}`),
    ...METHODS.flatMap((method) => [`${method} /_ping`, `${method} ${container}/json`]),
  ];
  const requests = lines.map((line): [string, string] => [line, request(line)]);
  return new Map([...requests, ...BROKEN.map((text): [string, string] => [JSON.stringify(text), text])]);
}

const request = (line: string, ...headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, "Host: engine", ...headers, "", ""].join("\r\n");

/** What makes its caller root, or ends what others run. */
const WRITES = [
  "/containers/create",
  "/containers/create?name=x",
  "/containers/ID/start",
  "/containers/ID/stop",
  "/containers/ID/kill?signal=KILL",
  "/containers/ID/exec",
  "/containers/ID/attach?stream=1&stdin=1",
  "/containers/ID/json",
  "/containers/ID/update",
  "/containers/json",
  "/containers/prune",
  "/exec/ID/start",
  "/v1.41/exec/ID/start",
  "/images/create?fromImage=x",
  "/build",
  "/session",
  "/grpc",
  "/commit?container=ID",
  "/swarm/init",
  "/plugins/pull?remote=x",
  "/auth",
  "/events",
];

/** What tells more than Rollcall asks. */
const READS = [
  "/",
  "*",
  "/info",
  "/images/json",
  "/networks",
  "/volumes",
  "/secrets",
  "/configs",
  "/services",
  "/swarm",
  "/system/df",
  "/plugins",
  "/containers/json?all=1",
  "/containers/json?size=1",
  "/containers/ID",
  "/containers/ID/json?size=1",
  "/containers/ID/logs?stdout=1",
  "/containers/ID/top",
  "/containers/ID/changes",
  "/containers/ID/export",
  "/containers/ID/archive?path=/etc/shadow",
  "/containers/ID/attach/ws?stream=1&stdin=1",
  "/containers/ID/stats",
  "/containers/web/json",
  "/exec/ID/json",
  "/images/ID/get",
  "/events?since=0",
  "/events?filters={}",
  "/events?filters=%7B%7D&since=0",
];

/** Other spellings of what is allowed, and ways out of it. */
const spellings = (container: string): readonly string[] => [
  "//_ping",
  "/_ping/",
  "/./_ping",
  "/_ping?",
  "/_ping?x=1",
  "/_ping;x",
  "/_ping#x",
  "/_ping%00",
  "/_ping%0d%0aX:%20y",
  "/_ping/../images/json",
  "/_ping/%2e%2e/images/json",
  "/_ping/..%2fimages/json",
  "/_ping/..;/images/json",
  "/_ping\\..\\images\\json",
  "/..",
  "/../_ping",
  "/_PING",
  "/%5fping",
  "/_p%69ng",
  "_ping",
  "/v1.41//containers/json",
  "/v1.41/../containers/json",
  "/v1.41/v1.41/containers/json",
  "/v1/containers/json",
  "/v1.100/containers/json",
  "/v2.0/containers/json",
  "/v1x41/containers/json",
  "/v1.41%2fcontainers/json",
  "//containers/json",
  "/containers//json",
  "/containers/./json",
  "/containers/json/",
  "/containers/json/..",
  "/containers/json%2f..%2f..%2fimages/json",
  "/containers%2fjson",
  "/Containers/json",
  "/containers/json%20",
  "/containers/json\x7f",
  "/containers/json\u00e9",
  "/containers/../images/json",
  "/containers/%2e%2e/images/json",
  "/containers/..%2fimages/json",
  "/containers/0123456789a/json",
  `${container.toUpperCase()}/json`,
  `${container}0/json`,
  `${container}/json/../logs`,
  `${container}/../../images/json`,
  `${container}/%2e%2e/%2e%2e/images/json`,
  `${container}%2fjson`,
  `${container}%2flogs%3fjson`,
  `${container}%3f/json`,
  `${container}/logs?x=/json`,
  `${container}/logs#/json`,
  `${container};/json`,
  "/events/../images/json",
  "/events?filters=%7B%7D#",
  "/events?filters=/../images/json",
  "/events%3ffilters=",
  "http://engine/containers/json",
  "http://engine/images/json",
  "HTTP://engine/_ping",
  "http://engine//_ping",
  "https://engine/_ping",
  "unix:///_ping",
  "engine:80",
  "@/_ping",
];

const METHODS = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "LIST", "get", "GETX"];

const HIDDEN = "POST /containers/create HTTP/1.1\r\nHost: engine\r\n\r\n";

/** Other protocols, requests with a second one inside, and what is no HTTP. */
const BROKEN = [
  request("GET /_ping", "Connection: Upgrade", "Upgrade: tcp"),
  request("GET /_ping", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
  request("GET /_ping", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
  request("GET /_ping", "Content-Length: 0"),
  request("GET /_ping", "Content-Length: 5", `Content-Length: ${HIDDEN.length}`) + HIDDEN,
  request("GET /_ping", "Content-Length: +5") + HIDDEN,
  request("GET /_ping", "Transfer-Encoding: chunked") + `0\r\n\r\n`,
  request("GET /_ping", "Transfer-Encoding: chunked", "Content-Length: 5") + `0\r\n\r\n${HIDDEN}`,
  request("GET /_ping", "Transfer-Encoding: xchunked") + HIDDEN,
  request("GET /_ping", "Transfer-Encoding : chunked") + HIDDEN,
  request("GET /_ping", "Transfer-Encoding:\x0bchunked") + HIDDEN,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
  "GET /_ping\r\n\r\n",
  "GET /_ping /images/json HTTP/1.1\r\nHost: engine\r\n\r\n",
  "GET /_ping\0 HTTP/1.1\r\nHost: engine\r\n\r\n",
  "GET /_ping HTTP/1.1\r\nHost: engine\r\nX\0: y\r\n\r\n",
  "GET /_ping HTTP/1.1\r\nHost: engine\r\nno header\r\n\r\n",
  "\x16\x03\x01\0\x2f\x01\0\0\x2b\x03\x03",
];
