import { describePresenceBoard } from './presence-conformance';
import { MemoryPresenceBoard } from './presence-memory';

describePresenceBoard('memory', async () => {
  const board = new MemoryPresenceBoard();
  return { open: async () => board, destroy: () => board.close() };
});
