import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { makeCertificate } from '@sluice/event-log/conformance';

const SECURED = resolve(__dirname, '../../../tools/brokers/secured.mjs');

interface Addresses {
  readonly kafkaBrokers: string;
  readonly natsUrl: string;
  readonly user: string;
  readonly password: string;
  /** Of Kafka: may do what it was given. */
  readonly limitedUser: string;
  /** Where NATS complains. */
  readonly natsLogFile: string;
  /** Another NATS, whose users log in by files. */
  readonly operatedNatsUrl: string;
  readonly credentialsFile: string;
}

/** Who may do what at the brokers, besides the user who may do all. */
export interface BrokerRights {
  readonly nats: readonly { readonly user: string; readonly permissions: object }[];
  /** By the numbers of Kafka's protocol. */
  readonly kafka: readonly {
    readonly resourceType: number;
    readonly resourceName: string;
    readonly resourcePatternType: number;
    readonly operation: number;
  }[];
}

/** Kafka and NATS of one test file that ask for TLS and credentials. */
export class SecuredBrokers {
  private constructor(
    readonly addresses: Addresses,
    /** The authority of both. */
    readonly caFile: string,
    /** An authority that they do not have. */
    readonly otherCaFile: string,
    private readonly folder: string,
    private readonly child: ChildProcessByStdio<Writable, Readable, null>,
  ) {}

  static async start(rights?: BrokerRights): Promise<SecuredBrokers> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-certificates-'));
    const { cert, key } = makeCertificate('127.0.0.1', 'localhost');
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
    await writeFile(join(folder, 'other.pem'), makeCertificate('127.0.0.1', 'localhost').cert);
    if (rights !== undefined) await writeFile(join(folder, 'rights.json'), JSON.stringify(rights));
    const child = spawn(process.execPath, [SECURED, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    const line = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    if (line.done === true) throw new Error('The brokers did not start');
    const addresses = JSON.parse(line.value) as Addresses;
    return new SecuredBrokers(addresses, join(folder, 'cert.pem'), join(folder, 'other.pem'), folder, child);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolveEnded) => this.child.once('exit', resolveEnded));
    this.child.stdin.end();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }
}
