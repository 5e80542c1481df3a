#!/usr/bin/env node
import { processEnvironment } from './config';
import { runCli } from './program';
import { processTerminal } from './terminal';

void runCli(process.argv.slice(2), processEnvironment(), processTerminal()).then((exitCode) => {
  // Not `process.exit`, which would cut off output that is still on its way.
  process.exitCode = exitCode;
});
