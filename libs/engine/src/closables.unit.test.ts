import { Closables } from './engine';

it('closes the last first, and after all others what these may still ask', async () => {
  const closables = new Closables();
  const closed: string[] = [];
  const closable = async (name: string) => ({ close: async () => void closed.push(name) });
  await closables.keep(closable('log'));
  await closables.keepToTheEnd(closable('read model'));
  await closables.keep(closable('delivery log'));
  await closables.close();
  await closables.close();
  expect(closed).toEqual(['delivery log', 'log', 'read model']);
});
