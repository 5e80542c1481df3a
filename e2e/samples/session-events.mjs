// The samples of the session events document, as they are written there, around one session of an SDK's client.

const { default: Anthropic, toFile } = await import(process.env.SDK);
const client = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY });

const agent = await client.beta.agents.create({ name: 'Sample', model: 'claude-sonnet-4-5' });
const environment = await client.beta.environments.create({ name: `sample-${Date.now()}` });
const session = await client.beta.sessions.create({ agent: agent.id, environment_id: environment.id });

const stream = await client.beta.sessions.events.stream(session.id);

await client.beta.sessions.events.send(session.id, {
  events: [
    {
      type: 'user.message',
      content: [{ type: 'text', text: 'Inspect the test failure and propose a fix.' }],
    },
  ],
});

for await (const event of stream) {
  if (event.type === 'agent.message') {
    console.log(event.content);
  }
  if (event.type === 'session.status_idle') {
    break;
  }
}

for await (const event of client.beta.sessions.events.list(session.id, {
  order: 'asc',
  limit: 100,
})) {
  console.log(event.type);
}

const uploaded = await client.beta.files.upload({
  file: await toFile(Buffer.from('what is in the file'), 'input.txt', { type: 'text/plain' }),
});

await client.beta.sessions.events.send(session.id, {
  events: [
    {
      type: 'user.message',
      content: [
        { type: 'text', text: 'Summarize this document.' },
        {
          type: 'document',
          source: { type: 'file', file_id: uploaded.id },
          title: 'input',
        },
      ],
    },
  ],
});

const content = await client.beta.files.download(uploaded.id);
console.log(`file: ${await content.text()}`);
