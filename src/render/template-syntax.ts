/**
 * What Rollcall adds to eta's syntax, as a plugin. No line is added or removed, so line numbers stay right.
 * - `<%# … %>` is a comment, over any number of lines.
 * - A line with nothing but a statement (`<% … %>`) or a comment disappears with its newline and its indentation.
 *   Tags that print (`<%= … %>`, `<%~ … %>`) leave the text around them alone.
 */
export function processTemplate(text: string): string {
  return text.replace(COMMENT, asScript).replace(FIRST_LINE, "$1/**/$2").replace(STATEMENT_LINE, "$1-%>$2");
}

const COMMENT = /<%#[^]*?%>/g;
/** eta drops white space behind the `<%`, newlines too, and the lines of a long tag would be counted wrong. */
const FIRST_LINE = /(<%[-_]?[=~]?)[ \t]*(\r?\n)/g;
const STATEMENT_LINE = /^[ \t]*(<%(?![=~_-])(?:(?!%>)[^])*?)[-_]?%>[ \t]*(\r?\n|(?![^]))/gm;

/** A comment of JavaScript with the same number of lines, since eta would read quotes in the text as strings. */
const asScript = (comment: string): string => `<%/*${"\n".repeat(comment.split("\n").length - 1)}*/%>`;
