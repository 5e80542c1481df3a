// An engine as a program: it reads lines of JSON, and reports by signed callbacks. What it does follows from the message.
import { randomUUID, createHmac } from 'node:crypto';
import { createInterface } from 'node:readline';

const { RUNTIME_CALLBACK_URL: url, RUNTIME_CALLBACK_SECRET: secret, RUNTIME_RUN_ID: runId } = process.env;

async function report(...events) {
  const body = JSON.stringify({ run_id: runId, events });
  const id = `msg_${randomUUID()}`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  };
  const { status } = await fetch(url, { method: 'POST', headers, body });
  if (status !== 200) process.exit(3);
}

const says = (text) => ({ type: 'agent.message', content: [{ type: 'text', text }] });
const idle = (reason) => ({ type: 'session.status_idle', stop_reason: reason });

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  const text = call.input_events[0]?.content?.[0]?.text ?? '';
  if (call.type === 'run.input') {
    await report(says(`result: ${text}`), idle({ type: 'end_turn' }));
    process.exit(0);
  } else if (text === 'tool') {
    const id = `tool_${runId}`;
    await report(
      { type: 'agent.custom_tool_use', id, name: 'double', input: { n: 1 } },
      idle({ type: 'requires_action', event_ids: [id] }),
    );
  } else if (text === 'crash') {
    process.stderr.write('about to crash\n');
    process.exit(7);
  } else if (text === 'hang' || text === 'wait') {
    if (text === 'hang') {
      process.on('SIGTERM', () => undefined);
      setInterval(() => undefined, 1_000);
    }
    await report(says(`pid ${process.pid}`));
  } else if (text === 'environment') {
    await report(says(JSON.stringify({ ...process.env, call })), idle({ type: 'end_turn' }));
    process.exit(0);
  } else {
    await report(says(`heard: ${text}`), idle({ type: 'end_turn' }));
    process.exit(0);
  }
}
