/** What is wrong with the configuration and is no matter of its form is told with its line, too, and the agent does not start. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { generateSigningPem } from '../../serving/identity.ts';
import { generateCheckpointKey } from '../../shared/node/checkpoint/index.ts';
import { generateSigningKey } from '../../shared/node/model-signing/index.ts';
import { certificate } from '../support/certificates.ts';
import { type NewAgent, newAgent, runHere } from './start-support.ts';

const PORTS = 'predict: { port: 0 }\nadmin: { port: 0 }\n';
const jwt = (jwks: string): string => `${PORTS}jwt:\n  issuer: i\n  audience: a\n  jwks: ${jwks}\n`;
const tls = (files: string): string => `predict: { port: 0 }\nadmin:\n  port: 0\n  tls:\n${files}`;
const { cert, key } = certificate('agent.example');
const FILES = {
  'cert.pem': cert,
  'key.pem': key,
  'other.pem': certificate('other').key,
  'short.key': 'short',
  'private.json': '{"keys":[{"kty":"EC","crv":"P-256","x":"","y":"","d":""}]}',
};

/** A new agent with files of all kinds in its directory. */
async function place(): Promise<NewAgent & { at: (name: string) => string }> {
  const agent = await newAgent();
  const at = (name: string): string => join(agent.directory, name);
  for (const [name, text] of Object.entries(FILES)) writeFileSync(at(name), text, { mode: 0o600 });
  writeFileSync(at('loose.pem'), generateSigningPem(), { mode: 0o644 });
  return { ...agent, at };
}

/** Fields of `agent.yaml`, and what is said of them: `LINE:COLUMN: field: message`, `DIR` being the agent's directory. */
const PROBLEMS: readonly (readonly [what: string, rest: string, said: string])[] = [
  [
    'a listener on another address without TLS',
    'predict: { port: 0 }\nadmin:\n  port: 0\n  host: 0.0.0.0\n',
    '7:9: admin.host: The agent does not listen to other machines without TLS',
  ],
  [
    'clients without the authority that vouches for them',
    tls('    cert: cert.pem\n    key: key.pem\n    clients:\n      - commonName: console\n'),
    '11:7: admin.tls.clients: ',
  ],
  [
    'a certificate that is not there',
    tls('    cert: none.pem\n    key: key.pem\n'),
    '8:11: admin.tls.cert: DIR/none.pem cannot be read',
  ],
  [
    'a certificate that is none',
    tls('    key: key.pem\n    cert: short.key\n'),
    '9:11: admin.tls.cert: DIR/short.key does not hold a PEM certificate',
  ],
  [
    'a key that is not there',
    tls('    cert: cert.pem\n    key: none.pem\n'),
    '9:10: admin.tls.key: The secret file DIR/none.pem does not exist',
  ],
  [
    'a key of another certificate',
    tls('    cert: cert.pem\n    key: other.pem\n'),
    '9:10: admin.tls.key: DIR/cert.pem and DIR/other.pem are not',
  ],
  [
    'an authority that is not there',
    tls('    cert: cert.pem\n    key: key.pem\n    clientCa: none.pem\n'),
    '10:15: admin.tls.clientCa: DIR/none.pem cannot be read',
  ],
  ['a key set that is not there', jwt('none.json'), '9:9: jwt.jwks: DIR/none.json cannot be read'],
  [
    'a key set with a private key',
    jwt('private.json'),
    '9:9: jwt.jwks: DIR/private.json is not a set of public keys. There is a private key',
  ],
  [
    'an access log that cannot be written',
    `${PORTS}accessLog:\n  logFeatures: true\n  file: none/access.log\n`,
    '8:9: accessLog.file: The access log DIR/none/access.log cannot be written',
  ],
  [
    'a signing key that is not there',
    `${PORTS}keys:\n  signing: { file: none.pem }\n`,
    '7:12: keys.signing: The secret file DIR/none.pem does not exist',
  ],
  [
    'a signing key that is none',
    `${PORTS}keys:\n  signing:\n    file: short.key\n`,
    '8:5: keys.signing: short.key is not a private key',
  ],
  [
    'a signing key that others read',
    `${PORTS}keys: { signing: { file: loose.pem } }\n`,
    '6:18: keys.signing: The secret file DIR/loose.pem can be read',
  ],
  [
    'an age identity that is not set',
    `${PORTS}keys:\n  age: { env: NO_SUCH_VARIABLE }\n`,
    '7:8: keys.age: The environment variable NO_SUCH_VARIABLE is not set',
  ],
  [
    'an age identity that is none',
    `${PORTS}keys:\n  age: { file: short.key }\n`,
    '7:8: keys.age: This is not an age secret key',
  ],
  [
    'a credential that is not there',
    `${PORTS}keys:\n  age:\n    credential: none\n`,
    '8:5: keys.age: The credential DIR/none is not there',
  ],
  [
    'a key of noise that is not there',
    `${PORTS}scores:\n  noise:\n    scale: 0.1\n    key: { file: none.key }\n`,
    '9:10: scores.noise.key: The secret file DIR/none.key does not exist',
  ],
  [
    'a key of noise that is too short',
    `${PORTS}scores:\n  noise:\n    scale: 0.1\n    key: { file: short.key }\n`,
    '9:10: scores.noise.key: The key of scores.noise has fewer than 32',
  ],
  [
    'a provider that the runtime does not have',
    `${PORTS}engine:\n  executionProviders:\n    - cpu\n    - coreml\n`,
    '9:7: engine.executionProviders.1: The runtime has no coreml here; it has cpu',
  ],
];

describe('an agent whose agent.yaml names', () => {
  test.each(PROBLEMS)('%s does not start, and says line and field', async (_what, rest, said) => {
    const { write, configFile, directory } = await place();
    write(rest);
    vi.stubEnv('CREDENTIALS_DIRECTORY', directory);
    onTestFinished(() => void vi.unstubAllEnvs());
    const ended = await runHere(configFile);
    expect(ended.said).toContain(`${configFile}:${said.replaceAll('DIR', directory)}`);
    expect(ended.said).not.toMatch(/^\s+at /m);
    expect(ended.code).toBe(2);
  });

  test('a trust file that is not there does not start, and says where it is named', async () => {
    const { write, configFile, at } = await place();
    write(PORTS);
    writeFileSync(configFile, readFileSync(configFile, 'utf8').replace('trust.yaml', 'none.yaml'));
    const { code, said } = await runHere(configFile);
    expect(said).toContain(`${configFile}:3:8: trust: ${at('none.yaml')} does not exist.`);
    expect(code).toBe(2);
  });
});

test('a key that agent.yaml does not name, as most do not, is missing in the file as a whole', async () => {
  const { write, configFile, at } = await place();
  write(PORTS);
  rmSync(at('keys'), { recursive: true });
  const { code, said } = await runHere(configFile);
  expect(said).toContain(
    `${configFile}:1:1: keys.signing: The secret file ${at('keys/signing.pem')} does not exist.`,
  );
  expect(code).toBe(2);
});

describe('an agent whose trust file has', () => {
  const [ada, ben] = [generateSigningKey().publicKeyPem, generateSigningKey().publicKeyPem];
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  const vkey = generateCheckpointKey('v').vkey;
  const signer = (person: string, pem: string): string =>
    `  - person: ${person}\n    name: ${person.toLowerCase()}\n    publicKeyPem: ${JSON.stringify(pem)}\n`;
  const trust = (checkpointKey: string, ...keys: readonly string[]): string =>
    `vaults:\n  - id: v\n    checkpointKey: ${checkpointKey}\nquorum: 1\napprovers:\n${keys.map((pem, at) => signer(['Ada', 'Ben'][at] ?? '', pem)).join('')}`;

  test.each([
    [
      'a key that is none',
      trust(vkey, ada, 'no key'),
      '11:19: approvers.1.publicKeyPem: The key of Ben (ben) cannot be used. This is not a public key.',
    ],
    [
      'a key of another curve',
      trust(vkey, p384, ben),
      '8:19: approvers.0.publicKeyPem: The key of Ada (ada) cannot be used. This key is not on the curve P-256.',
    ],
    [
      'a submitter whose key is none',
      `${trust(vkey, ada)}submitters:\n${signer('Sam', 'no key')}`,
      '12:19: submitters.0.publicKeyPem: The key of Sam (sam) cannot be used.',
    ],
    [
      'a revoker whose key is none',
      `${trust(vkey, ada)}revokers:\n${signer('Ada', ada)}${signer('Cleo', 'no key')}`,
      '15:19: revokers.1.publicKeyPem: The key of Cleo (cleo) cannot be used.',
    ],
    [
      'a checkpoint key that is none',
      trust('nothing', ada),
      '3:20: vaults.0.checkpointKey: This is not a checkpoint key.',
    ],
    [
      'the checkpoint key of another vault',
      trust(generateCheckpointKey('w').vkey, ada),
      '3:20: vaults.0.checkpointKey: This is the checkpoint key of sallyport/w. This vault’s own begins with sallyport/v+; sallyport audit key prints it.',
    ],
    [
      'a checkpoint key that was changed',
      trust(vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+'), ada),
      '3:20: vaults.0.checkpointKey: This is not a checkpoint key.',
    ],
  ])('%s does not start, and says line and field', async (_what, text, said) => {
    const { write, configFile, at } = await place();
    write(PORTS);
    writeFileSync(at('trust.yaml'), text);
    const ended = await runHere(configFile);
    expect(ended.said).toContain(`${at('trust.yaml')}:${said}`);
    expect(ended.said).not.toMatch(/^\s+at /m);
    expect(ended.code).toBe(2);
  });
});
