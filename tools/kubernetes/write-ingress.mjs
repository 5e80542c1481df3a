// Writes the Ingress of the route table into k8s/. With --print it is written to standard output instead.
import { writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { root } from '../set-up.mjs';
import { INGRESS_FILE, ingressManifest } from './ingress.mjs';

if (process.argv.includes('--print')) {
  process.stdout.write(ingressManifest());
} else {
  await writeFile(INGRESS_FILE, ingressManifest());
  console.log(`wrote ${relative(root, INGRESS_FILE)}`);
}
