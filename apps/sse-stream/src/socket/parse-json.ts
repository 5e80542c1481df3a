import { SluiceError } from '@sluice/event-log';

/** The JSON value of a message. @throws SluiceError `invalid_json` */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new SluiceError('invalid_json', 'The message is not valid JSON');
  }
}
