/** What happens to operators after they were added: other roles, out of use, another passphrase, and guesses at it. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createEnvironmentsService } from '../../../electron/services/environments/index.ts';
import { createOperatorsService } from '../../../electron/services/operators/index.ts';
import { createCurrentSession } from '../../../electron/services/session/current.ts';
import { createSessionService } from '../../../electron/services/session/index.ts';
import { type OpenVault, openVault } from '../../../electron/services/vault/index.ts';
import { waitAfter } from '../../../shared/domain/operator/back-off.ts';
import { type Actor, changeRefusal, type Operator } from '../../../shared/domain/operator/operator.ts';
import { actorWith, OPERATOR_PASSPHRASE, type TestVault, testVault } from '../../support/vault.ts';

const GRACE = { name: 'grace', person: 'Grace Hopper', passphrase: 'nanoseconds matter' };

function servicesOf(vault: OpenVault, { adapters }: Pick<TestVault, 'adapters'>) {
  const { ledger, store, secrets } = vault;
  const deps = { ledger, store, secrets, keys: adapters.keys, system: adapters.system };
  const session = createSessionService(deps);
  return {
    session,
    operators: createOperatorsService({ ...deps, withOperatorKey: session.signWithOperatorKey }),
    environments: createEnvironmentsService(deps),
  };
}

async function withGrace(roles: Operator['roles'] = ['analyst']) {
  const home = await testVault();
  const services = servicesOf(home.vault, home);
  const grace = await services.operators.add(home.admin, { ...GRACE, roles });
  return { ...home, ...services, grace };
}

const last = ({ store }: OpenVault) => [...store.read.audit.entries()].at(-1);
const signInGrace = (session: { signIn(input: { operator: string; passphrase: string }): Promise<Actor> }) =>
  session.signIn({ operator: 'grace', passphrase: GRACE.passphrase });

describe('roles', () => {
  test('count from the next call on, whatever the actor was when they signed in', async () => {
    const { vault, admin, operators, session, environments, grace } = await withGrace();
    const actor = await signInGrace(session);
    const policy = { name: 'staging', policy: POLICY };
    await expect(environments.add(actor, policy)).rejects.toMatchObject({ code: 'refused.role' });
    const changed = await operators.setRoles(admin, {
      id: grace.id,
      roles: ['administrator', 'administrator'],
    });
    expect(changed.roles).toEqual(['administrator']);
    expect(last(vault)).toMatchObject({
      action: 'operator.roles-changed',
      actor: 'ada',
      subject: 'grace',
      details: { before: ['analyst'], after: ['administrator'] },
    });
    expect((await environments.add(actor, policy)).name).toBe('staging');
    await operators.setRoles(admin, { id: grace.id, roles: ['auditor'] });
    // Made up by hand, as no sign-in does: what is stored counts.
    const forged: Actor = { ...actor, roles: ['administrator', 'release-manager'] };
    await expect(environments.add(forged, { ...policy, name: 'other' })).rejects.toMatchObject({
      code: 'refused.role',
    });
    expect(last(vault)).toMatchObject({ action: 'refused', details: { roles: ['auditor'], active: true } });
    const nobody: Actor = { ...forged, operatorId: 'nobody' };
    await expect(environments.add(nobody, { ...policy, name: 'other' })).rejects.toMatchObject({
      code: 'refused.role',
    });
  });

  test('are set by administrators alone, to something, for somebody who is there', async () => {
    const { admin, operators, grace } = await withGrace();
    const others = actorWith('analyst', 'release-manager', 'auditor');
    await expect(operators.setRoles(others, { id: grace.id, roles: ['auditor'] })).rejects.toMatchObject({
      code: 'refused.role',
    });
    await expect(operators.setRoles(admin, { id: grace.id, roles: [] })).rejects.toMatchObject({
      code: 'input.invalid',
    });
    await expect(operators.setRoles(admin, { id: 'none', roles: ['auditor'] })).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('never leave the vault without an active administrator, by roles or by use', async () => {
    const { vault, admin, operators, grace } = await withGrace();
    const id = admin.operatorId;
    await expect(operators.setRoles(admin, { id, roles: ['analyst'] })).rejects.toMatchObject({
      code: 'refused.state',
    });
    await expect(operators.setDisabled(admin, { id, disabled: true })).rejects.toMatchObject({
      code: 'refused.state',
    });
    await operators.setRoles(admin, { id: grace.id, roles: ['administrator'] });
    await operators.setDisabled(admin, { id: grace.id, disabled: true });
    // A disabled one is none.
    await expect(operators.setRoles(admin, { id, roles: ['analyst'] })).rejects.toMatchObject({
      code: 'refused.state',
    });
    await operators.setDisabled(admin, { id: grace.id, disabled: false });
    const both = [
      operators.setDisabled(admin, { id, disabled: true }),
      operators.setRoles(admin, { id: grace.id, roles: ['analyst'] }),
    ];
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [some] = vault.store.read.operators();
    expect(some && changeRefusal(vault.store.read.operators(), some)).toBeNull();
  });
});

describe('a disabled operator', () => {
  test('does not sign in, act or sign, and their session ends; enabled again, all is as before', async () => {
    const { vault, admin, operators, session, environments, grace } = await withGrace(['administrator']);
    const actor = await signInGrace(session);
    const current = createCurrentSession((id) => vault.store.read.operator(id));
    current.set(actor);
    expect(current.require()).toEqual(actor);
    await operators.setDisabled(admin, { id: grace.id, disabled: true });
    expect(last(vault)).toMatchObject({ action: 'operator.disabled', subject: 'grace' });
    expect(() => current.require()).toThrow(
      expect.objectContaining({ code: 'locked', message: expect.stringContaining('changed') }),
    );
    expect(current.actor()).toBeNull();

    await expect(environments.add(actor, { name: 'x', policy: POLICY })).rejects.toMatchObject({
      code: 'refused.role',
      message: expect.stringContaining('disabled'),
    });
    // In the middle of something long: its end is refused too.
    await expect(
      vault.ledger.commit(actor, { action: 'model.described', subject: 'x', details: {} }, () => undefined),
    ).rejects.toMatchObject({ code: 'refused.role' });
    await expect(signInGrace(session)).rejects.toMatchObject({ code: 'auth.failed' });
    expect(last(vault)).toMatchObject({ action: 'session.refused', details: { reason: 'disabled' } });
    let signed = false;
    const sign = session.signWithOperatorKey(grace.id, GRACE.passphrase, () => {
      signed = true;
    });
    await expect(sign).rejects.toMatchObject({ code: 'auth.failed' });
    expect(signed).toBe(false);
    expect(session.operatorNames()).toEqual(['ada']);
    await session.signOut(actor);

    await operators.setDisabled(admin, { id: grace.id, disabled: false });
    expect(last(vault)).toMatchObject({ action: 'operator.enabled' });
    expect((await signInGrace(session)).name).toBe('grace');
    expect(vault.store.read.operator(grace.id)?.publicKeyPem).toBe(grace.publicKeyPem);
  });
});

describe('a passphrase', () => {
  const CHANGED = 'another one from now on';

  test('is changed by its owner: the key stays, other sessions end, this one goes on', async () => {
    const { vault, session, operators, grace } = await withGrace();
    const actor = await signInGrace(session);
    const sessions = [0, 1].map(() => createCurrentSession((id) => vault.store.read.operator(id)));
    for (const each of sessions) each.set(actor);
    await operators.changePassphrase(actor, { passphrase: GRACE.passphrase, newPassphrase: CHANGED });
    sessions[0]?.renew();
    expect(sessions.map((each) => each.actor()?.name ?? null)).toEqual(['grace', null]);
    expect(last(vault)).toMatchObject({ action: 'operator.passphrase-changed', actor: 'grace' });
    await expect(signInGrace(session)).rejects.toMatchObject({ code: 'auth.failed' });
    expect((await session.signIn({ operator: 'grace', passphrase: CHANGED })).operatorId).toBe(grace.id);
    expect(vault.store.read.operator(grace.id)?.keyFingerprint).toBe(grace.keyFingerprint);
    const log = [...vault.store.read.audit.lines()].join('\n');
    expect(log.includes(CHANGED) || log.includes(GRACE.passphrase)).toBe(false);
  });

  test('stays what it was when the old one is wrong, the new one too short, or the disk takes nothing', async () => {
    const { vault, session, operators } = await withGrace();
    const actor = await signInGrace(session);
    await expect(
      operators.changePassphrase(actor, { passphrase: 'wrong', newPassphrase: CHANGED }),
    ).rejects.toMatchObject({ code: 'auth.failed' });
    expect(vault.store.read.signInFailures(actor.operatorId).count).toBe(1);
    await expect(
      operators.changePassphrase(actor, { passphrase: GRACE.passphrase, newPassphrase: 'short' }),
    ).rejects.toMatchObject({ code: 'input.invalid' });
    const release = vault.store.hold();
    const changing = operators.changePassphrase(actor, {
      passphrase: GRACE.passphrase,
      newPassphrase: CHANGED,
    });
    await expect(changing).rejects.toMatchObject({ code: 'conflict' });
    release();
    expect((await signInGrace(session)).name).toBe('grace');
  });
});

describe('guesses', () => {
  const wrong = { operator: 'grace', passphrase: 'not her passphrase' };

  test('follow the schedule over restarts, by every way in', async () => {
    const home = await withGrace();
    home.clock.heldAt = Date.now();
    const ways = (vault: OpenVault) => {
      const { session, operators } = servicesOf(vault, home);
      const actor: Actor = { operatorId: home.grace.id, name: 'grace', person: '', roles: ['analyst'] };
      return [
        () => session.signIn(wrong),
        () => session.signWithOperatorKey(home.grace.id, wrong.passphrase, () => undefined),
        () =>
          operators.changePassphrase(actor, { passphrase: wrong.passphrase, newPassphrase: 'long enough' }),
      ];
    };
    for (let failures = 0; failures < 9; failures++) {
      // Each attempt in a program that was started anew.
      const vault = await openVault(home.adapters, home.path);
      const attempt = ways(vault)[failures % 3];
      const wait = waitAfter(failures);
      if (wait > 0) {
        home.clock.ahead += wait - 500;
        await expect(attempt?.()).rejects.toMatchObject({ facts: { retryAfterMs: expect.any(Number) } });
        home.clock.ahead += 500;
      }
      await expect(attempt?.()).rejects.not.toHaveProperty('facts.retryAfterMs');
      expect(vault.store.read.signInFailures(home.grace.id).count).toBe(failures + 1);
      await vault.close();
    }
  });

  test('are not helped by a clock that is set back, and nobody is locked out for longer than the wait', async () => {
    const home = await withGrace();
    home.clock.heldAt = Date.now();
    for (let failures = 0; failures < 5; failures++) {
      home.clock.ahead += waitAfter(failures);
      await expect(home.session.signIn(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
    }
    home.clock.ahead -= 365 * 86_400_000;
    await expect(signInGrace(home.session)).rejects.toMatchObject({ facts: { retryAfterMs: waitAfter(5) } });
    home.clock.ahead += waitAfter(5);
    expect((await signInGrace(home.session)).name).toBe('grace');
  });

  test('are none where several processes give the right one at once', async () => {
    const home = await withGrace();
    home.clock.heldAt = Date.now();
    await expect(home.session.signIn(wrong)).rejects.toMatchObject({ code: 'auth.failed' });
    const vaults = await Promise.all([1, 2, 3, 4, 5, 6].map(() => openVault(home.adapters, home.path)));
    onTestFinished(async () => {
      await Promise.all(vaults.map((vault) => vault.close()));
    });
    const actors = await Promise.all(vaults.map((vault) => signInGrace(servicesOf(vault, home).session)));
    expect(actors.map(({ name }) => name)).toEqual(Array.from({ length: 6 }, () => 'grace'));
    expect(home.vault.store.read.signInFailures(home.grace.id).count).toBe(0);
  });

  test('of several processes at once are counted as one after the other', async () => {
    const home = await withGrace();
    home.clock.heldAt = Date.now();
    const vaults = await Promise.all([1, 2, 3, 4].map(() => openVault(home.adapters, home.path)));
    onTestFinished(async () => {
      await Promise.all(vaults.map((vault) => vault.close()));
    });
    const sessions = vaults.map((vault) => servicesOf(vault, home).session);
    const guesses = await Promise.allSettled(
      sessions.flatMap((session) => [session.signIn(wrong), session.signIn(wrong)]),
    );
    const looked = guesses.filter(
      (each) => each.status === 'rejected' && !('retryAfterMs' in each.reason.facts),
    );
    expect(looked).toHaveLength(3);
    expect(home.vault.store.read.signInFailures(home.grace.id).count).toBe(3);
    await expect(
      home.session.signIn({ operator: 'ada', passphrase: OPERATOR_PASSPHRASE }),
    ).resolves.toMatchObject({
      name: 'ada',
    });
  });
});

const POLICY = {
  version: 1 as const,
  gates: [],
  minimumRows: 100,
  datasets: [],
  maximumSeverity: 'medium' as const,
  quorum: { approvals: 2 },
  requestHours: 24,
};
