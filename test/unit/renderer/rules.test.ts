import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { roleRefusal } from '../../../renderer/api/session.ts';
import { dropKind } from '../../../renderer/app/drop-kind.ts';
import { canonicalText } from '../../../renderer/features/audit/canonical-text.ts';
import { cleanFingerprint, urlProblem } from '../../../renderer/features/endpoints/endpoint-input.ts';
import { guessRef, parseParameters } from '../../../renderer/features/models/guess-ref.ts';
import { EXAMPLES, FIELDS, FILTERS } from '../../../renderer/features/models/search-grammar.ts';
import { versionRefusal } from '../../../renderer/features/models/version-refusal.ts';
import {
  approvalsOf,
  describeGuards,
  parseSteps,
} from '../../../renderer/features/releases/request-words.ts';
import { parsePolicy, STARTING_POLICY } from '../../../renderer/ui/policy-text.ts';
import type { AuditEntry } from '../../../shared/domain/audit/entry.ts';
import { parseSearch } from '../../../shared/domain/model/search/parse.ts';
import { printSearch } from '../../../shared/domain/model/search/print.ts';
import { modelNameSchema, semverSchema } from '../../../shared/domain/model/version.ts';
import {
  isPermitted,
  PERMISSIONS,
  type Permission,
  roleSchema,
} from '../../../shared/domain/operator/operator.ts';
import { planProblems } from '../../../shared/domain/rollout/plan.ts';
import * as data from '../../support/renderer-data.ts';

const clock = { now: Date.parse('2026-06-01T12:00:00Z') };

describe('a dropped file', () => {
  it('always gets a valid name and version to start from, whatever it is called', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (name) => {
        const guess = guessRef(`/tmp/${name}.onnx`);
        return modelNameSchema.safeParse(guess.name).success && semverSchema.safeParse(guess.version).success;
      }),
    );
  });
  it('gives its name and version where they are written in the file name', () => {
    expect(guessRef('C:\\models\\phish-url_v1.2.0.onnx')).toEqual({ name: 'phish-url', version: '1.2.0' });
    expect(guessRef('/in/dns tunnel.onnx')).toEqual({ name: 'dns-tunnel', version: '1.0.0' });
    expect(guessRef('/in/m-2.0.0-rc.1.onnx')).toEqual({ name: 'm', version: '2.0.0-rc.1' });
  });
  it('goes to the page that can use it', () => {
    expect(['a.ONNX', 'b.csv', 'c.parquet', 'd.pkl', 'onnx'].map(dropKind)).toEqual([
      'model',
      'dataset',
      'dataset',
      'unknown',
      'unknown',
    ]);
  });
});

describe('training parameters as typed', () => {
  it('become numbers and truth values where they are such, and report a line that is none', () => {
    expect(parseParameters('trees = 100\nbootstrap=true\nnote = a = b\nempty =\n\nnonsense')).toEqual({
      values: { trees: 100, bootstrap: true, note: 'a = b', empty: '' },
      bad: ['nonsense'],
    });
  });
});

describe('the search help', () => {
  it('shows only what the registry understands', () => {
    const shown = [...EXAMPLES.map(([example]) => example), ...FIELDS.map(({ example }) => example)];
    for (const example of [...shown, ...FILTERS.map(({ term }) => term)]) {
      const { terms } = parseSearch(example);
      expect(parseSearch(printSearch(terms)).terms, example).toEqual(terms);
    }
  });
});

describe('a quorum as the window counts it', () => {
  const request = data.request(clock, 'r', '1.2.0', 'open', ['grace', 'katherine'], 60);
  it('counts people, not signatures, and never the submitter', () => {
    const [, grace] = request.approvals;
    if (grace === undefined) throw new Error('no approval');
    const forged = {
      ...request,
      approvals: [
        ...request.approvals,
        { ...grace, operator: 'grace-2', keyFingerprint: data.hex('other') },
        { ...grace, operator: 'ada-2', person: request.record.request.submitter.person },
      ],
    };
    expect(approvalsOf(forged).map((approval) => approval.person)).toEqual([
      'Grace Hopper',
      'Katherine Johnson',
    ]);
  });
  it('says of every guard that is off that nothing guards there', () => {
    const off = describeGuards({
      ...request.plan.guards,
      maxErrorRate: null,
      maxP95Ratio: null,
      maxDisagreement: null,
    });
    expect(off.map((guard) => [guard.off, guard.text])).toEqual([
      [true, 'not guarded'],
      [true, 'not guarded'],
      [true, 'not guarded'],
    ]);
  });
});

describe('steps as typed', () => {
  const judge = (text: string): string[] =>
    planProblems({ strategy: 'canary', steps: parseSteps(text), bakeMs: 1, maxStepMs: 1000 });
  it('are read with any separator people use', () => {
    expect([parseSteps('10, 50, 100'), parseSteps('10 → 50 → 100 %'), parseSteps('10;50;100')]).toEqual([
      [10, 50, 100],
      [10, 50, 100],
      [10, 50, 100],
    ]);
    expect(judge('10, 50, 100')).toEqual([]);
  });
  it('that are no numbers are refused by the plan rules, not guessed at', () => {
    for (const text of ['', 'ten, 100', '50, 10, 100', '10, 50'])
      expect(judge(text).length, text).toBeGreaterThan(0);
  });
});

describe('a first contact', () => {
  it('takes a fingerprint as people paste it, and nothing shorter', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[0-9a-f]{64}$/),
        (digest) => cleanFingerprint(`SHA256:${digest.toUpperCase().replace(/(.{4})/g, '$1 ')}`) === digest,
      ),
    );
    expect(cleanFingerprint('abcd')).toBeNull();
  });
  it('refuses plain HTTP beyond this machine, and secrets in the address', () => {
    expect([urlProblem('https://10.0.0.1:8443'), urlProblem('http://127.0.0.1:9000')]).toEqual([null, null]);
    for (const bad of ['http://10.0.0.1:8443', 'ftp://x', 'gateway', 'https://user:secret@host'])
      expect(urlProblem(bad), bad).not.toBeNull();
  });
});

describe('an audit entry', () => {
  it('is shown as the very bytes RFC 8785 gives', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 6 }), (details) => {
        const entry = {
          seq: 3,
          at: '2026-06-01T12:00:00.000Z',
          actor: 'ada',
          action: 'model.added',
          subject: 'é@1',
          details,
          previous: '0'.repeat(64),
          hash: 'f'.repeat(64),
        } as unknown as AuditEntry;
        const { hash: _, ...rest } = JSON.parse(JSON.stringify(entry)) as AuditEntry;
        expect(canonicalText(JSON.parse(JSON.stringify(entry)) as AuditEntry)).toBe(canonicalize(rest));
      }),
    );
  });
});

describe('a policy as YAML', () => {
  it('comes back as it was written', () => {
    expect(parsePolicy(stringify(STARTING_POLICY))).toEqual({ policy: STARTING_POLICY, problem: null });
  });
  it('names what is wrong, and yields no policy then', () => {
    for (const [text, word] of [
      ['version: 1\ngates: [', ''],
      [stringify({ ...STARTING_POLICY, quorum: { approvals: 0 } }), 'quorum.approvals'],
      [stringify({ ...STARTING_POLICY, surprise: 1 }), 'surprise'],
    ] as const) {
      const parsed = parsePolicy(text);
      expect(parsed.policy).toBeNull();
      expect(parsed.problem).toContain(word);
    }
  });
});

describe('a button that is off', () => {
  it('names the roles it takes exactly when the operator has none of them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...roleSchema.options), { minLength: 1 }),
        fc.constantFrom(...(Object.keys(PERMISSIONS) as Permission[])),
        (roles, permission) => (roleRefusal(roles, permission) === null) === isPermitted(roles, permission),
      ),
    );
  });
  it('always has a reason on a version page', () => {
    for (const record of data.versions(clock))
      for (const action of [
        'validate',
        'map',
        'alias',
        'submit',
        'archive',
        'revoke',
        'export',
        'verify',
      ] as const) {
        expect(versionRefusal(data.versionView(record), action, ['auditor'])).toMatch(/\.$/);
      }
  });
});
