/** Requests leave much young garbage; with more room for it, the collector copies less of what is still in use. */
export const NODE_ARGS = ['--max-semi-space-size=32'];
