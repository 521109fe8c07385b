import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCommand } from '../../serving/commands.ts';
import { agentConfigSchema } from '../../serving/config.ts';
import { nearest, parseYaml } from '../../serving/yaml-file.ts';
import { trustFileSchema } from '../../shared/domain/endpoint/trust.ts';
import { temporaryDirectory } from '../support/temp.ts';

const GOOD = `version: 1
environmentId: production-1
trust: trust.yaml
predict:
  host: 127.0.0.1
  port: 8080
admin:
  port: 8081
limits:
  rows: 500
logLevel: warn
`;
const problem = (text: string): string => {
  try {
    parseYaml('agent.yaml', text, agentConfigSchema);
  } catch (error) {
    expect(error).toMatchObject({ code: 'input.invalid', hint: expect.stringContaining('Nothing') });
    return (error as Error).message;
  }
  throw new Error('it was taken');
};

describe('an error in agent.yaml', () => {
  test.each([
    ['a value out of bounds', GOOD.replace('rows: 500', 'rows: 0'), /^agent\.yaml:10:9: limits\.rows: /],
    ['a value of another kind', GOOD.replace('8081', 'high'), /^agent\.yaml:8:9: admin\.port: .*number/],
    ['a word that is none of a few', GOOD.replace('warn', 'loud'), /^agent\.yaml:11:11: logLevel: .*"warn"/],
    [
      'a field that is missing',
      GOOD.replace('  port: 8081', '  host: "::1"'),
      /^agent\.yaml:7:1: admin\.port: /,
    ],
    [
      'a missing field of the file itself',
      GOOD.replace('trust: trust.yaml\n', ''),
      /^agent\.yaml:1:1: trust: /,
    ],
    [
      'a misspelt field',
      GOOD.replace('rows:', 'rosw:'),
      /^agent\.yaml:10:3: limits\.rosw: there is no such field; did you mean rows\?$/,
    ],
    [
      'a misspelt section',
      GOOD.replace('limits:', 'limit:'),
      /^agent\.yaml:9:1: limit: there is no such field; did you mean limits\?$/,
    ],
    [
      'a field like no other',
      GOOD.replace('logLevel: warn', 'colour: blue'),
      /^agent\.yaml:11:1: colour: there is no such field\.$/,
    ],
    [
      'the first of several',
      GOOD.replace('version: 1', 'version: 2').replace('rows', 'rosw'),
      /^agent\.yaml:1:10: version: /,
    ],
    ['text that is not YAML', GOOD.replace('  port: 8080', '  port: [8080'), /^agent\.yaml:\d+:\d+: \S/],
    ['a field that is there twice', `${GOOD}logLevel: info\n`, /^agent\.yaml:12:1: .*unique/],
    ['tabs', GOOD.replace('  rows', '\trows'), /^agent\.yaml:10:1: .*[Tt]ab/],
    ['nothing at all', '', /^agent\.yaml(:1:1)?: file: /],
    ['a list', '- 1\n', /^agent\.yaml:1:1: file: /],
  ])('names line, column and field of %s', (_what, text, message) => {
    expect(problem(text)).toMatch(message);
  });

  test('is told of the form a value nearly has, in the trust file too', () => {
    const text = 'vaults:\n  - v1\n  - id: v2\n    checkpontKey: k\nquorum: 1\napprovers: []\n';
    expect(() => parseYaml('trust.yaml', text, trustFileSchema)).toThrow(
      'trust.yaml:4:5: vaults.1.checkpontKey: there is no such field; did you mean checkpointKey?',
    );
  });

  test('does not grow without end by aliases of aliases', () => {
    const bomb = [
      'a: &a [x]',
      ...'bcdefghij'.split('').map((each, at) => {
        const before = 'abcdefghi'[at] ?? 'a';
        return `${each}: &${each} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`;
      }),
    ].join('\n');
    expect(problem(bomb)).toMatch(/^agent\.yaml: .*alias/);
  });

  test('stops the agent at start, with exit code 2 and nothing listening', async () => {
    const file = join(temporaryDirectory(), 'agent.yaml');
    writeFileSync(file, GOOD.replace('rows:', 'rosw:'));
    const written: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
    try {
      expect(await runCommand('run', ['--config', file], 'none')).toBe(2);
      expect(await runCommand('run', ['--config', `${file}.none`], 'none')).toBe(3);
    } finally {
      process.stderr.write = write;
    }
    expect(written.join('')).toContain(
      `${file}:10:3: limits.rosw: there is no such field; did you mean rows?`,
    );
  });
});

test('what was meant is the nearest name, when one is near', () => {
  const known = ['rows', 'bodyBytes', 'requestsPerSecond'];
  expect(nearest('rwos', known)).toBe('rows');
  expect(nearest('bodybytes', known)).toBe('bodyBytes');
  expect(nearest('requestPerSeconds', known)).toBe('requestsPerSecond');
  expect(nearest('colour', known)).toBeNull();
  expect(nearest('x', [])).toBeNull();
});
