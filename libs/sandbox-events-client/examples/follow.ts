import { createPubSubClient } from '@sluice/sandbox-events-client';

const pubsub = createPubSubClient({
  accessToken: process.env.COMPUTESDK_ACCESS_TOKEN,
  sandboxId: 'sandbox-123',
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void pubsub.disconnect());

pubsub.on('connect', () => console.log('Connected to event stream'));
pubsub.on('disconnect', () => console.log('Disconnected (will auto-reconnect)'));
pubsub.on('error', (error) => console.error('Connection error:', error));

// Connects, and goes on over reconnects until disconnect()
for await (const event of pubsub) {
  console.log(`Received: ${event.type}`, event.data);
}
