import { MAX_AGENT_DESCRIPTION_LENGTH } from '@sluice/event-schema';
import { cleanText } from '../clean-text';
import type { RegistrationFile } from '../files/registration-file';
import type { AgentClass } from '../taxonomy';
import { agentName } from './file-state';
import type { ClassificationInput } from './off-chain-types';

/** What of an agent is told at most, in Unicode characters; the rest is cut. */
const MAX_NAME_LENGTH = 200;
const MAX_SERVICE_NAMES = 20;
const MAX_SERVICE_NAME_LENGTH = 100;

/** What a classifier is told of an agent. Not its endpoints: they say little, change often, and may hold secrets. */
export function classificationInputOf(file: RegistrationFile, tokenId: string): ClassificationInput {
  const { description = '', services } = file;
  return {
    name: cleanText(agentName(file, tokenId), MAX_NAME_LENGTH),
    description: cleanText(description, MAX_AGENT_DESCRIPTION_LENGTH),
    serviceNames: services.slice(0, MAX_SERVICE_NAMES).map(({ name }) => cleanText(name, MAX_SERVICE_NAME_LENGTH)),
  };
}

/** Changes with what a classifier is told, and with the classes that are declared. */
export function classificationHash(
  { name, description, serviceNames }: ClassificationInput,
  declared: readonly AgentClass[],
): string {
  const slugs = declared.map(({ slug }) => slug);
  return hashOf(JSON.stringify([name, description, serviceNames, slugs]));
}

/** 64 bits that tell texts apart; not for secrets. */
function hashOf(text: string): string {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, 2654435761);
    two = Math.imul(two ^ unit, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return hex32(two) + hex32(one);
}

function hex32(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}
