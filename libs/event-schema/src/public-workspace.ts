/**
 * The workspace of public events: those of the chains' registries. Every workspace's key may read what is in it; only
 * operators append to it.
 */
export const PUBLIC_WORKSPACE_ID = 0;
