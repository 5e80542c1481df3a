import { runApp } from '@sluice/service-runtime';
import { readBasics, readConfig } from './config';
import { prepareDataFolder } from './data-folder';
import { createOneProcess } from './one-process';

/** The process makes its own database where it has none; everything else is known, and told when bad, before that. */
function readChecked(): ReturnType<typeof readBasics> {
  const basics = readBasics();
  readConfig(basics.SLUICE_ENGINE === 'embedded' ? { SLUICE_DATABASE_URL: 'postgresql://localhost' } : {});
  return basics;
}

void runApp(readChecked, async (basics) => createOneProcess(basics, await prepareDataFolder(basics)));
