// Baseline of single POSTs: a bare Fastify that parses a JSON body and answers with the same, and checks nothing.
import fastify from 'fastify';
import { serveCalls } from '../child.mjs';

const server = fastify();
server.post('/events', async (request) => request.body);
const url = await server.listen({ host: '127.0.0.1', port: 0 });

serveCalls({ url: () => url });
