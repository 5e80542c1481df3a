import type { EventFamily } from '@sluice/event-schema';

/** Whether events of a family are sealed. Those of registries are public: whoever reads their chain has them. */
const IS_SEALED: Readonly<Record<EventFamily, boolean>> = {
  sandbox: true,
  session: true,
  workspace: true,
  registry: false,
};

export function isSealedFamily(family: EventFamily): boolean {
  return IS_SEALED[family];
}

/** How far into the text of an event its family stands, at most. */
const FAMILY_WITHIN_BYTES = 96;

/** Whether a record that is not sealed is one of those that are left so. Text of a foreign producer may say so elsewhere. */
export function isLeftOpen(value: Uint8Array): boolean {
  return Buffer.from(value.buffer, value.byteOffset, Math.min(value.byteLength, FAMILY_WITHIN_BYTES)).includes(
    '"family":"registry"',
  );
}
