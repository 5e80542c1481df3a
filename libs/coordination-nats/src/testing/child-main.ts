import type { ChildNews, ChildTask } from './child-replica';
import { openReplica } from './test-replicas';

const say = (news: ChildNews) => process.stdout.write(`${JSON.stringify(news)}\n`);

async function main(task: ChildTask): Promise<void> {
  const { coordination } = await openReplica(task.options);
  // Before anything is said: whoever hears it may end this process at once.
  process.once('SIGTERM', () => void coordination.close().then(() => process.exit(0)));
  let held = 0;
  for (let n = 0; n < task.slots; n++) {
    await coordination.connectionSlots.acquire(task.key, task.limit, () => say({ held: --held }));
    held++;
  }
  say({ held });
  if (task.group !== undefined) {
    const place = { workspaceId: 1, group: task.group };
    await coordination.presence.join(place, 'child', (present) => say({ present: present.length }));
  }
}

void main(JSON.parse(process.argv[2] ?? '{}') as ChildTask);
