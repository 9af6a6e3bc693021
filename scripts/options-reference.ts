import { format } from "prettier";
import { DEFAULT_CONFIG_FILE } from "../src/config.ts";
import { OPTION_NAMES, OPTIONS, variableOf } from "../src/options.ts";

const INTRODUCTION = `
<!-- Written by scripts/write-reference.ts from src/options.ts. Change that, then: npm run docs -->

# Options

Every option can be given in three places. A flag wins over a variable, a variable over the file.

- flag: \`--etcd-prefix /app/servers/\`
- variable: \`ROLLCALL_ETCD_PREFIX=/app/servers/\`
- file \`${DEFAULT_CONFIG_FILE}\`, which need not exist: \`etcd-prefix: /app/servers/\`

Another file is named by \`--config PATH\` or \`ROLLCALL_CONFIG\`; that one must exist. Some options also have an alias: a variable of other programs that is read when none of the three says anything.

A name that does not exist is an error, in all three places: a variable that begins with \`ROLLCALL_\` and is no option stops the start, with the name that was probably meant. All problems are reported at once, with exit code 78 (64 for flags).

The file is YAML:

\`\`\`yaml
etcd-endpoints: [http://etcd-1:2379, http://etcd-2:2379, http://etcd-3:2379]
docker: off
watch: [/app/config]
template: /etc/rollcall/haproxy.cfg.eta
\`\`\`

## All options

`;

const TYPES = `
## Values

- \`TIME\`: a number and a unit, \`500ms\`, \`2s\`, \`1.5m\`, \`1h\`; from 1 ms to 24 h. A number without a unit is refused.
- \`URL\`: \`http://HOST:PORT\` or \`https://HOST:PORT\`, without a user or password in it. \`HOST:PORT\` alone is http.
- \`KEY\`: a key prefix of etcd, beginning with a slash. One is added at its end when it is missing.
- \`ADDRESS\`: \`127.0.0.1:8405\`, \`[::1]:8405\`, or \`*:8405\` for all addresses of the machine.
- \`on|off\`: also \`true\` and \`false\`, \`yes\` and \`no\`, \`1\` and \`0\`.
- \`…\` after a comma: several, separated by commas; in the file a YAML list will do as well.

These belong together: \`etcd-username\` and \`etcd-password-file\`; \`etcd-cert\` and \`etcd-key\`. \`haproxy-pid\` and \`haproxy-pid-file\` exclude each other. At least one source must be left: \`etcd-endpoints\`, \`docker\` or \`static-file\`.

\`docker: auto\` follows the engine at \`/var/run/docker.sock\` as soon as the socket is there; where \`docker-host\` is set, it is the same as \`on\`. Where there is no Docker, \`off\` makes a start quicker when servers are to be removed. \`docker-tls-verify\` needs \`docker-cert-path\`; with \`docker-cert-path\` a \`tcp://\` host is reached by TLS in any case.

Certificates and the password file are read again at each connect, so that what renews them needs no restart of Rollcall.

The commands and their own flags: [commands](commands.md).
`;

const cell = (text: string): string => text.replaceAll("|", "\\|");
const code = (text: string): string => `\`${cell(text)}\``;
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** The text of docs/reference/options.md. */
export async function optionsReference(): Promise<string> {
  const options = OPTION_NAMES.map((name) => {
    const { type, default: initial, help, ...rest } = OPTIONS[name];
    const alias = "alias" in rest && rest.alias !== undefined ? `; alias ${code(rest.alias)}` : "";
    const shown = initial === null ? "" : code(initial);
    return [code(name), code(variableOf(name)), code(type.shown), shown, `${cell(help)}${alias}`];
  });
  const text = [
    INTRODUCTION.trimStart(),
    table(["option", "variable", "value", "default", "meaning"], options),
    `\n${TYPES}`,
  ];
  return format(text.join(""), { parser: "markdown", printWidth: 110 });
}
