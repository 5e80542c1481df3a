import { CronClaims } from '../src/cron/cron-claims';
import { Replicas, START_MS } from './replicas';

it('tells when it forgets a due time that it took, and takes none twice even then', async () => {
  const replicas = await Replicas.open();
  try {
    const { journal } = await replicas.start();
    let forgotten = 0;
    const options = { replicaId: 'one', runTimeoutMs: 60_000, claimWaitMs: 5_000, maxRemembered: 1 };
    const claims = new CronClaims(journal, replicas.clock, { claimForgotten: () => forgotten++ }, options);
    const job = await replicas.addJob(await replicas.start(), { id: 'job' });
    const claim = (dueAt: number) => claims.claim(1, job, { dueAt, missed: 0, nextRunAt: null });
    expect((await claim(START_MS + 1_000)).end).toBe('won');
    expect((await claim(START_MS + 2_000)).end).toBe('won');
    expect(forgotten).toBe(1);
    expect((await claim(START_MS + 2_000)).end).toBe('lost');
    await claim(START_MS + 1_000);
    expect(replicas.recorded('cron_job_triggered')).toHaveLength(2);
  } finally {
    await replicas.close();
  }
});
