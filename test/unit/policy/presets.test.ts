import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { policyJsonSchema } from '../../../shared/domain/policy/json-schema.ts';
import { policySchema } from '../../../shared/domain/policy/policy.ts';
import { PRODUCTION_POLICY, STAGING_POLICY } from '../../../shared/domain/policy/presets.ts';

const FOLDER = join(import.meta.dirname, '../../../resources/policies');
const presets = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const published: object = JSON.parse(readFileSync(join(FOLDER, 'policy.schema.json'), 'utf8'));
const check = new Ajv2020({ strict: true }).compile(published);

describe('the published schema', () => {
  it('is the one the program checks policies with', () => {
    expect(published, 'run node resources/policies/write-schema.ts').toEqual(policyJsonSchema());
  });

  it.each([STAGING_POLICY, PRODUCTION_POLICY])('takes the built-in policies', (policy) => {
    expect(check(policy), JSON.stringify(check.errors)).toBe(true);
  });

  it.each([
    { ...STAGING_POLICY, gate: [] },
    { ...STAGING_POLICY, gates: [{ metric: 'recal', min: 1 }] },
    { ...STAGING_POLICY, datasets: ['abc'] },
    { ...STAGING_POLICY, quorum: { approvals: 0 } },
  ])('refuses what the program refuses', (policy) => {
    expect(check(policy)).toBe(false);
    expect(policySchema.safeParse(policy).success).toBe(false);
  });
});

describe.each(presets)('%s', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');

  it('is a policy by both schemas', () => {
    const policy: unknown = parse(text);
    expect(policySchema.safeParse(policy).error?.issues ?? []).toEqual([]);
    expect(check(policy), JSON.stringify(check.errors)).toBe(true);
  });

  it('names the schema for editors, and says why', () => {
    const [first, second] = text.split('\n');
    expect(first).toBe('# yaml-language-server: $schema=./policy.schema.json');
    expect(second).toMatch(/^# [A-Z].{30,}/);
  });
});

it('there is a preset for each kind of detector', () => {
  expect(presets.sort()).toEqual([
    'anomaly.yaml',
    'intrusion.yaml',
    'malware.yaml',
    'permissive.yaml',
    'phishing.yaml',
  ]);
});
