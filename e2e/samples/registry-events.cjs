const eventSource = new EventSource(
  `${process.env.BASE_URL}/api/v1/events?chainIds=11155111&reputation=true`,
  {
    headers: { 'X-API-Key': process.env.API_KEY }
  }
);

eventSource.onopen = () => {
  console.log('Connected to event stream');
};

eventSource.addEventListener('reputation_change', (event) => {
  const data = JSON.parse(event.data);
  console.log('Reputation changed:', data.agentId, data.newScore);
});

eventSource.addEventListener('heartbeat', () => {
  console.log('Heartbeat received');
});

eventSource.onerror = (error) => {
  console.error('SSE error:', error);
};
