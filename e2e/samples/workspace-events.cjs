const eventSource = new EventSource(`${process.env.BASE_URL}/api/events`);

eventSource.addEventListener('TaskCreated', (event) => {
const data = JSON.parse(event.data);
console.log('Task created:', data.task_id);
});

eventSource.addEventListener('AgentSpawned', (event) => {
const data = JSON.parse(event.data);
console.log('Agent spawned:', data.agent_id);
});

eventSource.onerror = (error) => {
console.error('SSE error:', error);
};
