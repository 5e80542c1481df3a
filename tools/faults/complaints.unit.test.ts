import { complaintsIn } from './complaints';

describe('complaintsIn', () => {
  it('counts the lines in which the disk is full, whoever says it', () => {
    const log = [
      'java.io.IOException: No space left on device',
      'ERROR:  could not extend file "base/5/16384": No space left on device',
      '[ERR] JetStream resource limits exceeded for server: no space left',
      'LOG:  checkpoint complete',
    ];
    expect(complaintsIn(log.join('\n'))).toBe(3);
  });

  it('finds none in a log that has other worries, or nothing', () => {
    expect(complaintsIn('ERROR:  connection refused\n')).toBe(0);
    expect(complaintsIn('')).toBe(0);
  });
});
