import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A page of docs/protocol, read for what tests can hold against the code. */
export class ProtocolPage {
  private readonly text: string;

  constructor(name: string) {
    this.text = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'protocol', `${name}.md`), 'utf8');
  }

  private section(title: string): string {
    return this.text.split(`\n${title}\n`)[1]?.split(/\n##+ /)[0] ?? '';
  }

  /** The cells of a section's table, without its head and without the signs of code. */
  rows(title: string): readonly (readonly string[])[] {
    const lines = this.section(title)
      .split('\n')
      .filter((line) => line.startsWith('| '));
    const rows = lines.slice(2).map((line) => line.split('|').slice(1, -1));
    if (rows.length === 0) throw new Error(`no table under ${title}`);
    return rows.map((cells) => cells.map((cell) => cell.replaceAll('`', '').trim()));
  }

  /** The first column. */
  names(title: string): readonly string[] {
    return this.rows(title).map(([name = '']) => name);
  }

  /** The value of each limit. */
  limits(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries(this.rows('## Limits').map(([name = '', value]) => [name, value]));
  }

  /** The lines of each session. */
  sessions(): readonly (readonly string[])[] {
    const blocks = this.section('## A session').matchAll(/```text\n([^`]*)```/g);
    return [...blocks].map(([, text = '']) => text.trimEnd().split('\n'));
  }
}

/** Without what is another on every run. */
export function normal(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, '<id>')
    .replaceAll(/\b1-[0-9a-f]{8}-/g, '1-<epoch>-')
    .replaceAll(/"(recordedAt|occurredAt)":\d+/g, '"$1":0')
    .replaceAll(/\bsub_\d+_\w{7}\b/g, '<subscription>')
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>');
}
