import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressProblem } from '../../../shared/domain/endpoint/address.ts';
import {
  computeFingerprint,
  formatFingerprint,
  parseFingerprint,
} from '../../../shared/domain/endpoint/fingerprint.ts';
import {
  applyRollback,
  applyRouting,
  emptyRouting,
  type ModelRouting,
  modelRoutingSchema,
  type ReleaseRef,
} from '../../../shared/domain/endpoint/routing.ts';
import { trustFileSchema } from '../../../shared/domain/endpoint/trust.ts';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const ref = (index: number): ReleaseRef => ({
  version: `1.${index}.0`,
  digest: hex(`digest ${index}`),
  root: hex(`root ${index}`),
});
const canaryOf = (index: number, percent = 10) => ({
  ...ref(index),
  percent,
  mirrorSample: 1,
  salt: 'a-plan-salt',
});

/** Any routing that a sequence of wishes and rollbacks can lead to. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('route' as const),
      stable: fc.option(fc.nat(4)),
      canary: fc.option(fc.nat(4)),
    }),
    fc.record({ kind: fc.constant('back' as const), to: fc.option(fc.nat(4)) }),
  ),
  { maxLength: 12 },
);

describe('routing of a model', () => {
  test('given a model taken out of service, when it is rolled back to the version it had, then that is not its own previous one', () => {
    const out = applyRouting({ ...emptyRouting('phish'), stable: ref(0) }, { stable: null, canary: null });
    if (out.kind !== 'changed') throw new Error('refused');
    expect(applyRollback(out.routing, ref(0))).toMatchObject({ routing: { stable: ref(0), previous: null } });
  });

  test('stays sound whatever is asked of it, and its generation rises with every change', () => {
    fc.assert(
      fc.property(steps, (asked) => {
        let routing: ModelRouting = emptyRouting('phish');
        for (const step of asked) {
          const result =
            step.kind === 'route'
              ? applyRouting(routing, {
                  stable: step.stable === null ? null : ref(step.stable),
                  canary: step.canary === null ? null : canaryOf(step.canary),
                })
              : applyRollback(routing, step.to === null ? null : ref(step.to));
          if (result.kind === 'refused') continue;
          const before = routing;
          routing = result.routing;
          modelRoutingSchema.parse(routing);
          if (routing !== before) expect(routing.generation).toBe(before.generation + 1);
          if (routing.stable) {
            expect(routing.canary?.root).not.toBe(routing.stable.root);
            expect(routing.previous?.root).not.toBe(routing.stable.root);
          }
          // The stable version that gave way is where a rollback leads.
          if (before.stable && routing.stable?.root !== before.stable.root)
            expect(routing.previous?.root).toBe(before.stable.root);
        }
      }),
    );
  });

  test('rolling back twice leads where it began', () => {
    const start: ModelRouting = {
      name: 'phish',
      generation: 5,
      stable: ref(2),
      canary: null,
      previous: ref(1),
    };
    const once = applyRollback(start, null);
    if (once.kind === 'refused') throw new Error(once.reason);
    const twice = applyRollback(once.routing, null);
    if (twice.kind === 'refused') throw new Error(twice.reason);
    expect({ ...twice.routing, generation: 5 }).toEqual({ ...start, moved: null });
  });

  test('drops a canary before it touches the stable version', () => {
    const start: ModelRouting = {
      name: 'phish',
      generation: 5,
      stable: ref(2),
      canary: canaryOf(3),
      previous: ref(1),
    };
    expect(applyRollback(start, null)).toMatchObject({
      kind: 'changed',
      routing: { stable: ref(2), canary: null, previous: ref(1) },
    });
  });

  test('does not leave a stable version out by accident', () => {
    const start: ModelRouting = {
      name: 'phish',
      generation: 5,
      stable: ref(2),
      canary: null,
      previous: null,
    };
    expect(applyRouting(start, { stable: null, canary: canaryOf(3) }).kind).toBe('refused');
    expect(applyRouting(start, { stable: ref(2), canary: canaryOf(2) }).kind).toBe('refused');
    expect(applyRollback(emptyRouting('phish'), null).kind).toBe('refused');
  });
});

describe('fingerprints', () => {
  test('are read as people type them', () => {
    const fingerprint = computeFingerprint({ signingKeyPem: 'pem', ageRecipient: 'age1' }, (text) =>
      createHash('sha256').update(text).digest(),
    );
    expect(fingerprint).toBe(hex('pem\nage1'));
    for (const typed of [
      fingerprint,
      formatFingerprint(fingerprint),
      fingerprint.toUpperCase(),
      `SHA256:${fingerprint}`,
      fingerprint.match(/../g)?.join(':') ?? '',
      ` ${fingerprint}\n`,
    ]) {
      expect(parseFingerprint(typed)).toBe(fingerprint);
    }
    for (const typed of ['', fingerprint.slice(1), `${fingerprint}0`, fingerprint.replace(/.$/, 'g')])
      expect(parseFingerprint(typed)).toBeNull();
  });
});

describe('addresses', () => {
  test.each([
    ['https://agent.example:8443', null],
    ['http://127.0.0.1:8080', null],
    ['http://[::1]:8080/base', null],
    ['http://localhost:8080', null],
    ['http://agent.example', 'is plain http to another machine'],
    ['http://127.0.0.1.evil.example', 'is plain http to another machine'],
    ['http://10.0.0.1', 'is plain http to another machine'],
    ['https://user:pass@agent.example', 'has a user name or password in it'],
    ['https://agent.example/?a=1', 'has a query or fragment in it'],
    ['file:///etc/passwd', 'is neither http nor https'],
  ])('%s', (url, problem) => {
    expect(addressProblem(new URL(url))).toBe(problem);
  });
});

describe('a trust file', () => {
  const approver = (person: string, key: string) => ({
    person,
    name: person.toLowerCase(),
    publicKeyPem: key,
  });
  test('takes a vault as a name or with its checkpoint key', () => {
    const trust = trustFileSchema.parse({
      vaults: ['a', { id: 'b', checkpointKey: 'k' }],
      quorum: 1,
      approvers: [approver('Ada', 'x')],
    });
    expect(trust.vaults).toEqual([{ id: 'a' }, { id: 'b', checkpointKey: 'k' }]);
  });
  test.each([
    [
      'a quorum of more people than it names',
      { quorum: 2, approvers: [approver('Ada', 'x'), approver(' ada ', 'y')] },
    ],
    ['one key for two people', { quorum: 1, approvers: [approver('Ada', 'x\ny'), approver('Grace', 'x y')] }],
    ['no quorum at all', { quorum: 0, approvers: [approver('Ada', 'x')] }],
    ['a key it does not know', { quorum: 1, approvers: [approver('Ada', 'x')], treshold: 1 }],
  ])('does not take %s', (_what, trust) => {
    expect(trustFileSchema.safeParse({ vaults: ['a'], ...trust }).success).toBe(false);
  });
});
