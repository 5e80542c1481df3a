import { createHash } from 'node:crypto';

/**
 * A bill of materials that is the same for the same materials: its time is that of the sources, and its serial number is
 * made from its contents instead of by chance. npm calls what it describes by its folder, so the name is given.
 *
 * @param {{ serialNumber?: string, metadata: { timestamp?: string, component: { name: string } } }} sbom CycloneDX
 * @param {string} name
 * @param {number} epochSeconds
 */
export function normaliseSbom(sbom, name, epochSeconds) {
  const timestamp = new Date(epochSeconds * 1_000).toISOString();
  const metadata = { ...sbom.metadata, timestamp, component: { ...sbom.metadata.component, name } };
  const { serialNumber: _, ...rest } = { ...sbom, metadata };
  const digest = createHash('sha256').update(JSON.stringify(rest)).digest('hex');
  // The form of a UUID of version 8: its bits are the maker's own.
  const parts = [digest.slice(0, 8), digest.slice(8, 12), `8${digest.slice(13, 16)}`, `8${digest.slice(17, 20)}`];
  return { ...rest, serialNumber: `urn:uuid:${parts.join('-')}-${digest.slice(20, 32)}` };
}
