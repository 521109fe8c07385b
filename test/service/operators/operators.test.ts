import { describe, expect, test } from 'vitest';
import { createEnvironmentsService } from '../../../electron/services/environments/index.ts';
import { createOperatorsService } from '../../../electron/services/operators/index.ts';
import { createSessionService } from '../../../electron/services/session/index.ts';
import type { Policy } from '../../../shared/domain/policy/policy.ts';
import { actorWith, type TestVault, testVault } from '../../support/vault.ts';

function services({ vault, adapters }: TestVault) {
  const { ledger, store, secrets } = vault;
  const deps = { ledger, store, secrets, keys: adapters.keys, system: adapters.system };
  const session = createSessionService(deps);
  return {
    operators: createOperatorsService({ ...deps, withOperatorKey: session.signWithOperatorKey }),
    environments: createEnvironmentsService(deps),
    session,
  };
}
const grace = {
  name: 'grace',
  person: 'Grace Hopper',
  roles: ['release-manager' as const],
  passphrase: 'nanoseconds matter',
};
const policy: Policy = {
  version: 1,
  gates: [{ metric: 'roc_auc', min: 0.9 }],
  minimumRows: 100,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 2 },
  requestHours: 24,
};

describe('adding an operator', () => {
  test('makes one that can sign in, with a key of its own', async () => {
    const home = await testVault();
    const { operators, session } = services(home);
    const added = await operators.add(home.admin, grace);
    expect(added.keyFingerprint).not.toBe(operators.list(home.admin)[0]?.keyFingerprint);
    expect(await session.signIn({ operator: 'grace', passphrase: grace.passphrase })).toMatchObject({
      person: 'Grace Hopper',
      roles: ['release-manager'],
    });
    expect(session.operatorNames()).toEqual(['ada', 'grace']);
  });

  test('is for administrators; the attempt of another is in the log', async () => {
    const home = await testVault();
    await expect(
      services(home).operators.add(actorWith('analyst', 'release-manager', 'auditor'), grace),
    ).rejects.toMatchObject({ code: 'refused.role' });
    expect(home.vault.store.read.audit.entry(3)).toMatchObject({
      action: 'refused',
      actor: 'somebody',
      subject: 'grace',
      details: { permission: 'operator.manage' },
    });
    expect(home.vault.store.read.operatorByName('grace')).toBeNull();
  });

  test.each([
    ['a name that is taken', { ...grace, name: 'ada' }, 'conflict'],
    ['a name with a path in it', { ...grace, name: '../ada' }, 'input.invalid'],
    ['a short passphrase', { ...grace, passphrase: 'ninechars' }, 'input.invalid'],
    ['no role', { ...grace, roles: [] }, 'input.invalid'],
  ])('refuses %s', async (_what, input, code) => {
    const home = await testVault();
    await expect(services(home).operators.add(home.admin, input)).rejects.toMatchObject({ code });
    expect(home.vault.store.read.operators()).toHaveLength(1);
  });

  test('twice at once under one name adds one, and leaves no key of the other', async () => {
    const home = await testVault();
    const { operators } = services(home);
    const outcomes = await Promise.allSettled([
      operators.add(home.admin, grace),
      operators.add(home.admin, { ...grace, person: 'Somebody Else' }),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(home.vault.store.read.operators()).toHaveLength(2);
  });
});

describe('environments', () => {
  test('have an id that no other site has', async () => {
    const [here, there] = [await testVault(), await testVault()];
    const ids = await Promise.all(
      [here, there].map(
        async (home) =>
          (await services(home).environments.add(home.admin, { name: 'production', policy })).id,
      ),
    );
    expect(ids[0]).toMatch(/^production-[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('a changed policy is in the log with what it was before', async () => {
    const home = await testVault();
    const { environments } = services(home);
    const { id } = await environments.add(home.admin, { name: 'production', policy });
    const changed = await environments.setPolicy(home.admin, {
      id,
      policy: { ...policy, quorum: { approvals: 1 } },
    });
    expect(changed.policy.quorum.approvals).toBe(1);
    expect(home.vault.store.read.environment(id)?.policy.quorum.approvals).toBe(1);
    const last = home.vault.store.read.audit.page({ before: null, limit: 1, text: '' }).entries[0];
    expect(last).toMatchObject({
      action: 'environment.policy-changed',
      details: { before: { quorum: { approvals: 2 } }, after: { quorum: { approvals: 1 } } },
    });
  });

  test('are refused under a taken name, an unknown id, by others than administrators, or with an unknown key in the policy', async () => {
    const home = await testVault();
    const { environments } = services(home);
    const { id } = await environments.add(home.admin, { name: 'production', policy });
    await expect(environments.add(home.admin, { name: 'production', policy })).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(environments.setPolicy(home.admin, { id: 'nowhere', policy })).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(environments.setPolicy(actorWith('release-manager'), { id, policy })).rejects.toMatchObject({
      code: 'refused.role',
    });
    await expect(
      environments.setPolicy(home.admin, { id, policy: { ...policy, surprise: 1 } as Policy }),
    ).rejects.toMatchObject({ code: 'input.invalid' });
  });
});
