const text = { type: 'string' } as const;
const path = { type: 'string', description: 'Path, relative to the working directory' } as const;

/**
 * The tools of `agent_toolset_20260401` that a runner of the SDK runs where the agent works, in the form of the Messages API.
 * The fields of their inputs are those that it reads.
 */
export const TOOLSET_DEFINITIONS = [
  {
    name: 'bash',
    description: 'Runs a command in a shell, which keeps its directory and its variables from call to call.',
    input_schema: {
      type: 'object',
      properties: {
        command: { type: 'string', description: 'What to run' },
        restart: { type: 'boolean', description: 'Begin with a new shell' },
        timeout_ms: { type: 'integer', description: 'How long this call may take, in milliseconds' },
      },
    },
  },
  {
    name: 'read',
    description: 'Gives the content of a text file in UTF-8.',
    input_schema: {
      type: 'object',
      properties: {
        file_path: path,
        view_range: {
          type: 'array',
          items: { type: 'integer' },
          description: 'First and last line, counted from 1; all lines without it',
        },
      },
      required: ['file_path'],
    },
  },
  {
    name: 'write',
    description: 'Writes a text file in UTF-8, and the directories that it needs.',
    input_schema: {
      type: 'object',
      properties: { file_path: path, content: text },
      required: ['file_path', 'content'],
    },
  },
  {
    name: 'edit',
    description: 'Replaces a text in a file. It must be there exactly once, unless all of them are to be replaced.',
    input_schema: {
      type: 'object',
      properties: { file_path: path, old_string: text, new_string: text, replace_all: { type: 'boolean' } },
      required: ['file_path', 'old_string', 'new_string'],
    },
  },
  {
    name: 'glob',
    description: 'Finds files below the working directory by a pattern, the newest first.',
    input_schema: {
      type: 'object',
      properties: {
        pattern: text,
        path: { type: 'string', description: 'Where to look; the working directory without it' },
      },
      required: ['pattern'],
    },
  },
  {
    name: 'grep',
    description: 'Finds lines of files by a regular expression.',
    input_schema: { type: 'object', properties: { pattern: text, path }, required: ['pattern'] },
  },
] as const;
