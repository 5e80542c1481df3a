import { chainConfigSchema } from './chain-config';

const chain = {
  chainId: 1,
  name: 'One',
  identityRegistry: `0x${'a'.repeat(40)}`,
  reputationRegistry: `0x${'b'.repeat(40)}`,
  startBlock: 0,
  confirmations: 5,
  pollIntervalMs: 1000,
};
const faultsOf = (fields: object) =>
  (chainConfigSchema.safeParse({ ...chain, ...fields }).error?.issues ?? []).map(({ path, message }) => [
    path.join('.'),
    message,
  ]);
const rpcUrls = ['https://a.example', 'https://b.example'];

it('lets no more endpoints agree than there are', () => {
  const fault = ['agreement', 'must be at most the number of its endpoints'];
  expect(faultsOf({ rpcUrls, agreement: 2 })).toEqual([]);
  expect(faultsOf({ rpcUrls, agreement: 3 })).toEqual([fault]);
  expect(faultsOf({ rpcUrl: 'https://a.example', agreement: 1 })).toEqual([]);
  expect(faultsOf({ rpcUrl: 'https://a.example', agreement: 2 })).toEqual([fault]);
});

it('tells one fault where there is no endpoint', () => {
  expect(faultsOf({ agreement: 1 })).toEqual([['rpcUrl', 'exactly one of rpcUrl and rpcUrls must be given']]);
});
