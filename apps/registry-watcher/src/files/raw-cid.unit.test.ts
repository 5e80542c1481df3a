import { isNamedBy } from './raw-cid';

describe('isNamedBy', () => {
  it('knows the bytes of a raw CID, and tells them from others', () => {
    // Of the bytes "hello", as other programs name them.
    const cid = 'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq';
    expect(isNamedBy(cid, Buffer.from('hello'))).toBe(true);
    expect(isNamedBy(cid, Buffer.from('hellp'))).toBe(false);
  });

  it.each([
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPG7X',
    'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
    'bafkreib',
    'bagaaierasords4njcts6vs7qvdjfcvgnume4hqohf65zsfguprqphs3icwea',
  ])('cannot tell of %s', (cid) => {
    expect(isNamedBy(cid, Buffer.from('hello'))).toBeUndefined();
  });
});
