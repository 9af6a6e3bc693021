import fc from "fast-check";

/*
 * What somebody who means harm writes into keys, values and labels: words of HAProxy, its syntax, and what looks like
 * a good text but for one character. Half of them are fine, so that more than refusals is tried.
 */
export const DEFAULT_BACKEND = "webserver";
/** The backends that `user-template.eta` prints, and some that are words elsewhere. */
const BACKENDS = ["plain", "lists", "sticky", "hashed", "cookies", DEFAULT_BACKEND, "main", "dns", "7", "07"];

/** Words that mean something to HAProxy; many of them are good names. */
const KEYWORDS =
  'global defaults frontend backend listen server server-template default-server lua-load lua-load-per-thread acl if unless or use_backend default_backend bind option http-request stats env setenv from name check ssl disabled init-addr source addr track cookie leader .if .include -f -m -i -- { } ! _ 0 -1 127.0.0.1:80 *:80 /etc/passwd %[env(HOME)] ${HOME} $HOME "${HOME}" "$(id)" `id` \'"\' \\\\ # ; | & < > [ ] ( ) , = : @ ~ ? * + ^ <%= %> <% {{ }} __proto__ constructor toString MASTER GLOBAL HTTPCLIENT <CLI>'.split(
    " ",
  );
const LINES = [
  "\n",
  "\r",
  "\0",
  "\t",
  "\v",
  "\u0085",
  "\u2028",
  "\u2029",
  "\u202e",
  "\ufeff",
  "\ud800",
  "\uff53erver",
  "\u0455erver",
  "\u00a0",
];
const ATTACKS = [
  "a\nglobal\n  lua-load /tmp/x.lua",
  "/x }\n  acl evil always_true",
  "/x } || { always_true",
  "a.org } or { always_true",
  "10.0.0.1:80\n  server evil 6.6.6.6:80",
  '"$HOME"',
  "x".repeat(70_000),
  "/".repeat(300),
  "//",
  "/a//",
  "/-f",
  "/if",
  "/or,-i",
  "*.or.if",
  "if",
  "or",
  "unless.and",
];
export const odd = fc.oneof(
  fc.constantFrom(...KEYWORDS),
  fc.constantFrom(...ATTACKS),
  fc
    .array(fc.constantFrom(...KEYWORDS, ...LINES, " ", "a"), { maxLength: 5 })
    .map((pieces) => pieces.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
export const mostly = (...good: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...good) }, { weight: 1, arbitrary: odd });

/** What nearly is a good text: one odd character or word, where each of the good ones may stand. */
const bit = fc.constantFrom(
  ...KEYWORDS,
  ...LINES,
  " ",
  "'",
  " } or { always_true",
  " y",
  "%",
  "$X",
  "\\ ",
  "\\n",
);
const nearly = (before: string, after = ""): fc.Arbitrary<string> => bit.map((text) => before + text + after);

export const name = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...KEYWORDS) },
  { weight: 2, arbitrary: nearly("a") },
  { weight: 8, arbitrary: mostly("a", "b", "if", "leader") },
);
export const backend = fc.oneof(
  { weight: 9, arbitrary: mostly(...BACKENDS, "if", "from", "global", "lua-load", "constructor") },
  { weight: 1, arbitrary: nearly("a") },
);
export const host = fc.oneof(mostly("a.org", "*.b.org", "if", "or.unless", "_x.org"), nearly("a", ".org"));
export const path = fc.oneof(mostly("/", "/or", "/a/b//", "/x?y=1&z=a:b@c,d~e+f", "/-f"), nearly("/x"));
export const address = fc.oneof(
  { weight: 9, arbitrary: mostly("10.0.0.1:80", "[fd00::5]:81", "app:82", "if.or:83", "_a:84") },
  { weight: 1, arbitrary: nearly("10.0.0.1:80") },
);
/** One value for each word about a server. */
export const FIELDS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  weight: mostly("0", "256"),
  backup: mostly("true"),
  maxconn: mostly("5"),
  state: mostly("ready", "drain", "maint"),
  host,
  path,
  tags: fc.oneof(mostly("blue,canary", "server,acl"), nearly("a,b")),
  "meta.lua-load": fc.oneof(mostly("{ /tmp/x.lua }", "a b | c", "} or { always_true"), nearly("a")),
};
const words = fc.uniqueArray(fc.constantFrom(...Object.keys(FIELDS), "check"), { maxLength: 4 });
export const checkPath = fc.oneof(mostly("/healthz", "/x?a=b:c@d,e~f+g&h", "/-if"), nearly("/x"));
export const fields = words.chain((names) =>
  fc.record(Object.fromEntries(names.map((one) => [one, FIELDS[one] ?? checkPath]))),
);
