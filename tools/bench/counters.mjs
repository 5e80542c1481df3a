/**
 * A counter of an app, summed over the labels that contain `labels`.
 *
 * @param {string} url of the app
 * @param {string} name
 * @param {string} [labels] for instance `reason="slow_subscriber"`
 */
export async function readCounter(url, name, labels = '') {
  const response = await fetch(`${url}/metrics`);
  if (!response.ok) throw new Error(`/metrics answered ${response.status}`);
  return sumOf(await response.text(), name, labels);
}

/** @param {string} text of Prometheus */
export function sumOf(text, name, labels = '') {
  return text
    .split('\n')
    .filter((line) => (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) && line.includes(labels))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
