/** How many events one send may have; more is refused. */
export const MAX_SENT_EVENTS = 100;

/** How many events a session may be created with; more is refused. */
export const MAX_INITIAL_EVENTS = 50;

/** How many events one report of an engine may have; more is refused. */
export const MAX_REPORTED_EVENTS = 500;

/** How many inputs may wait for their run; a send that would exceed it is refused. */
export const MAX_QUEUED_INPUTS = 1000;

/** For how many answers a run may wait at a time; a report that asks for more, now or later, is refused. */
export const MAX_PENDING_ACTIONS = 500;

/** How many tool uses a session remembers as answered, so that none is asked for again; the oldest are forgotten. */
export const MAX_ANSWERED_TOOL_USES = 100;

/** How many runs that are over a session remembers; late reports of older ones are those of strangers. */
export const MAX_ENDED_RUNS = 16;

/** How many outcomes a session may define; more are refused. */
export const MAX_OUTCOMES = 20;

/** Longest description of an outcome, in characters; a longer one is refused. The session keeps and shows it. */
export const MAX_OUTCOME_DESCRIPTION_LENGTH = 65_536;

/** How much of an evaluation's explanation the session shows, in characters; its event has all of it. */
export const MAX_SHOWN_EXPLANATION_LENGTH = 10_000;

/** How many entries the metadata of a session may have. */
export const MAX_METADATA_ENTRIES = 16;

/** How many resources a session may have. */
export const MAX_SESSION_RESOURCES = 100;
