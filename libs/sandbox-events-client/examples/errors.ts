import {
  createEventsClient,
  EventsError, // Base error class
  EventsAuthError, // Authentication failures
  EventsNetworkError, // Network/timeout errors
  EventsPubSubError, // Pub/Sub specific errors
} from '@sluice/sandbox-events-client';

const client = createEventsClient();

try {
  await client.getEvents('sandbox-123');
} catch (error) {
  if (error instanceof EventsAuthError) {
    console.error('Check your API key');
  } else if (error instanceof EventsNetworkError) {
    console.error('Network issue:', error.message);
  }
}
