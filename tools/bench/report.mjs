/**
 * One line of the report.
 *
 * @typedef {object} Row
 * @property {string} engine @property {string} measure @property {string} name
 * @property {number} value @property {number} [p99] beside a value that is a median @property {string} unit
 * @property {number} [delivered] @property {number} [expected] @property {string} [fault] what went wrong besides
 * @property {string} [baseline] what it is compared with
 * @property {number} [ratio] to the baseline of the same run @property {number} [p99Ratio]
 * @property {number} [cpuUs] processor time of the measured processes, each event or delivery
 * @property {number} [loadShare] of one core, taken by the process that makes the load
 * @property {{ text: string, isMet: boolean }} [target]
 * @property {object} [details] further figures, for the JSON file
 */

const COLUMNS = ['engine', 'what', 'figure', 'delivered/expected', 'to baseline', 'server CPU', 'load CPU', 'target'];

/** @param {number} value */
export function formatNumber(value) {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const text = value.toFixed(digits);
  return digits > 0 ? text : text.replace(/\B(?=(?:\d{3})+$)/g, ' ');
}

function formatDelivered({ delivered, expected, fault }) {
  if (expected === undefined) return '';
  const faults = [...(delivered === expected ? [] : ['NOT ALL']), ...(fault ? [fault] : [])];
  return [`${delivered}/${expected}`, ...faults].join(' ');
}

function cells(row) {
  const both = (value, p99) => [value, ...(p99 === undefined ? [] : [p99])].map(formatNumber).join(' / ');
  return [
    row.engine,
    `${row.measure}: ${row.name}`,
    `${both(row.value, row.p99)} ${row.unit}`,
    formatDelivered(row),
    row.ratio === undefined ? '' : `${both(row.ratio, row.p99Ratio)} × ${row.baseline}`,
    row.cpuUs === undefined || Number.isNaN(row.cpuUs) ? '' : `${formatNumber(row.cpuUs)} µs`,
    row.loadShare === undefined ? '' : `${(row.loadShare * 100).toFixed(0)} %`,
    row.target === undefined ? '' : `${row.target.isMet ? 'met' : 'MISSED'}: ${row.target.text}`,
  ];
}

/** @param {readonly Row[]} rows @returns {string} */
export function formatTable(rows) {
  const lines = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [text[0], widths.map((width) => '-'.repeat(width)).join('  '), ...text.slice(1)].join('\n');
}
