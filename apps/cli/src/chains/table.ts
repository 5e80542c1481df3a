/** One column of a table. Numbers are read from their right ends. */
export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
}

const GAP = '  ';

/** The lines of a table: its titles, then a line for each row. Every row has a text for each column. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const widths = columns.map((_column, n) => Math.max(...[titles, ...rows].map((row) => widthOf(row[n] ?? ''))));
  const line = (row: readonly string[]) =>
    columns.map(({ isNumber = false }, n) => padded(row[n] ?? '', widths[n] ?? 0, isNumber)).join(GAP);
  return [titles, ...rows].map((row) => line(row).trimEnd());
}

function padded(text: string, width: number, isNumber: boolean): string {
  const room = ' '.repeat(Math.max(0, width - widthOf(text)));
  return isNumber ? room + text : text + room;
}

/** In characters, which is near enough to the cells of a terminal. */
const widthOf = (text: string): number => [...text].length;
