import { EventScanner } from './event-scanner.mjs';
import { ResponseReader } from './http-response.mjs';

/** What a scanner finds in these pieces, one after the other. */
export function scanNumbers(marker, pieces) {
  const scanner = new EventScanner(marker);
  const numbers = [];
  for (const piece of pieces) scanner.feed(Buffer.from(piece), (number) => numbers.push(number));
  return numbers;
}

/** The statuses of the answers in these pieces. */
export function readStatuses(pieces) {
  const reader = new ResponseReader();
  const statuses = [];
  for (const piece of pieces) reader.feed(Buffer.from(piece), (status) => statuses.push(status));
  return statuses;
}
