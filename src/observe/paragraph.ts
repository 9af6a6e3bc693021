/** Columns of a terminal that text is laid out for. */
const WIDTH = 100;
/** No more of one text than somebody reads; HAProxy may complain of each of ten thousand lines. */
const MAX_LENGTH = 1000;

/**
 * Text as lines that fit a terminal, with `indent` spaces before each; lines after the first have two more. A word
 * that is longer than a line is not broken, so that it can be copied.
 */
export function paragraph(text: string, indent: number): readonly string[] {
  const cut = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  const lines: string[] = [];
  let line = " ".repeat(indent);
  let isEmpty = true;
  for (const word of cut.trim().split(/\s+/)) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = " ".repeat(indent + 2);
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
