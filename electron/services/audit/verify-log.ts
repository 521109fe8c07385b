/** Proves the whole log against itself and against everything that was kept outside of it. */
import { checkpointOrigin } from '../../../shared/domain/audit/checkpoint.ts';
import type { AuditVerdict, ChainProblem } from '../../../shared/domain/audit/entry.ts';
import { firstPerEntry, LogProof, type VaultFact } from '../../../shared/domain/audit/proof.ts';
import { judgeRestores, toAuditRestore } from '../../../shared/domain/audit/restore.ts';
import type { LogFacts } from '../../../shared/domain/audit/witness.ts';
import type { WitnessStatus } from '../ledger-impl.ts';
import { SETTINGS } from '../vault/vault-keys.ts';
import type { AuditDeps } from './deps.ts';
import { type JudgedWitness, judgeHolders, openNotes, provesUpTo, unprovenBy } from './witnesses.ts';

/** Rows between two pauses: a few milliseconds of work, so that the window stays alive over a long log. */
export const SLICE = 200;

export async function verifyLog(deps: AuditDeps): Promise<AuditVerdict> {
  const pause = (): Promise<void> => deps.system.sleep(0);
  // What was kept elsewhere first: entries that are appended meanwhile come after it.
  const kept = await deps.ledger.witness();
  const answers = await deps.fetchCheckpoints();
  const own = deps.store.read.audit.notes();
  const proof = new LogProof({ hash: deps.system.sha256, vaultId: deps.vaultId });
  let count = 0;
  // From the lowest number there is: a row before the first is found, too.
  for (const row of deps.store.read.audit.rows(Number.MIN_SAFE_INTEGER)) {
    proof.add(row);
    if (++count % SLICE === 0) await pause();
  }
  const log = proof.finish();
  const { lawful, problems: restoreProblems } = judgeRestores(log.restores, log.hashAt);
  const problems: ChainProblem[] = [...log.problems, ...changedSettings(deps, log.facts), ...restoreProblems];
  const keychain = judgeKeychain(kept, log);
  problems.push(...keychain.problems);

  const keys = [...new Set([deps.checkpointVerifier, ...log.checkpointKeys])];
  const opened = await openNotes(
    [
      { name: null, who: 'this vault', notes: own },
      ...answers.map(({ endpoint, notes, problem }) => ({
        name: `endpoint ${endpoint}`,
        who: endpoint,
        notes,
        problem,
      })),
    ],
    deps.checkpoints,
    keys,
    pause,
  );
  const sizes = new Set(opened.flatMap(({ checkpoints }) => checkpoints.map(({ size }) => size)));
  const { size, rootAt } = await proof.rootsAt(sizes, SLICE, pause);
  const holders = judgeHolders(opened, {
    origin: checkpointOrigin(deps.vaultId),
    size,
    rootAt,
    restores: lawful,
  });
  problems.push(...holders.flatMap((holder) => holder.problems));
  const signatures = await checkSignatures(deps);
  problems.push(...signatures.problems);
  const witnesses = [keychain, ...holders.flatMap(({ judged }) => judged ?? [])];

  return {
    ok: problems.length === 0,
    entries: log.entries,
    head: log.head,
    witnesses: witnesses.map(({ witness }) => witness),
    problems: firstPerEntry(problems),
    signaturesChecked: signatures.checked,
    checkpointsChecked: holders.reduce((sum, { checked }) => sum + checked, 0),
    restores: lawful.map(toAuditRestore),
    unproven: unprovenBy(witnesses, log.last),
  };
}

/**
 * The vault's public keys are settings in the database. Whoever exchanged one (a recovery key of their own would open
 * every later artifact) left what the log says of it.
 */
function changedSettings(deps: AuditDeps, recorded: ReadonlyMap<string, VaultFact>): ChainProblem[] {
  const facts = [
    ['recipient', SETTINGS.recipient],
    ['recoveryRecipient', SETTINGS.recoveryRecipient],
    ['checkpointKey', SETTINGS.checkpointKey],
  ] as const;
  return facts.flatMap(([key, setting]) => {
    const fact = recorded.get(key);
    if (fact === undefined || fact.value === deps.store.read.setting(setting)) return [];
    return [
      {
        seq: fact.seq,
        problem: `the setting ${setting} is not the one that entry ${fact.seq} wrote down: it was exchanged`,
      },
    ];
  });
}

/** The ledger compares the keychain's head before every commit; the verdict says the same. */
function judgeKeychain({ status, detail, head, problem }: WitnessStatus, log: LogFacts): JudgedWitness {
  // Behind a restore the keychain may still hold the head that was given up: it speaks for nothing that is here.
  const covers = head && log.hashAt(head.seq) === head.hash ? head.seq : 0;
  const proves =
    status === 'contradicts'
      ? 'The log this machine wrote last is not this one.'
      : covers > 0 && covers === log.last
        ? `The log ends where it ended when this machine last wrote it, at entry ${covers}, and nothing before was changed.`
        : provesUpTo(covers, 'when this machine last wrote them');
  return {
    witness: { name: 'keychain', status, detail, proves },
    covers,
    problems: status === 'contradicts' ? [problem ?? { seq: null, problem: detail }] : [],
  };
}

async function checkSignatures(
  deps: AuditDeps,
): Promise<{ readonly checked: number; readonly problems: readonly ChainProblem[] }> {
  const problems: ChainProblem[] = [];
  let checked = 0;
  for (const { subject, check } of deps.signatureChecks()) {
    checked++;
    try {
      await check();
    } catch (error) {
      problems.push({
        seq: null,
        problem: `${subject}: ${error instanceof Error ? error.message : 'its signature does not hold'}`,
      });
    }
  }
  return { checked, problems };
}
