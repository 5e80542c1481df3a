import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

const NO_LIMIT = -1;
const ACCOUNT_LIMITS = {
  subs: NO_LIMIT,
  data: NO_LIMIT,
  payload: NO_LIMIT,
  imports: NO_LIMIT,
  exports: NO_LIMIT,
  wildcards: true,
  conn: NO_LIMIT,
  leaf: NO_LIMIT,
};
const JETSTREAM_LIMITS = { mem_storage: NO_LIMIT, disk_storage: NO_LIMIT, streams: NO_LIMIT, consumer: NO_LIMIT };

/**
 * An operator of NATS with one account and one user, made for this moment.
 *
 * @returns {{ configLines: string[], credentials: string }} what the server's configuration says of them, and the file
 *   by which the user logs in
 */
export function makeNatsOperator() {
  const { createAccount, createOperator, createUser } = require('@nats-io/nkeys');
  const [operator, system, account, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const systemKey = system.getPublicKey();
  const operatorToken = signed(operator, operator, { type: 'operator', system_account: systemKey });
  const accountToken = (pair, limits) => signed(operator, pair, { type: 'account', limits });
  const userToken = signed(account, user, { type: 'user', subs: NO_LIMIT, data: NO_LIMIT, payload: NO_LIMIT });
  return {
    configLines: [
      `operator: ${operatorToken}`,
      `system_account: ${systemKey}`,
      'resolver: MEMORY',
      'resolver_preload: {',
      `  ${systemKey}: ${accountToken(system, ACCOUNT_LIMITS)}`,
      `  ${account.getPublicKey()}: ${accountToken(account, { ...ACCOUNT_LIMITS, ...JETSTREAM_LIMITS })}`,
      '}',
    ],
    credentials: [
      '-----BEGIN NATS USER JWT-----',
      userToken,
      '------END NATS USER JWT------',
      '-----BEGIN USER NKEY SEED-----',
      Buffer.from(user.getSeed()).toString(),
      '------END USER NKEY SEED------',
      '',
    ].join('\n'),
  };
}

/** A claim about a key, signed by another one (or by itself). */
function signed(issuer, subject, nats) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = {
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: nats.type,
    nats: { ...nats, version: 2 },
  };
  const content = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${content}.${Buffer.from(issuer.sign(Buffer.from(content))).toString('base64url')}`;
}
