/** Rows of cells as lines with aligned columns, two spaces apart. Columns without any text are left out. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const count = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const widths = Array.from({ length: count }, (_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  );
  const used = widths.flatMap((width, column) => (width === 0 ? [] : [{ width, column }]));
  return rows.map((row) =>
    used
      .map(({ width, column }) => (row[column] ?? "").padEnd(width))
      .join("  ")
      .trimEnd(),
  );
}
