/** Checkpoints of the audit log (C2SP tlog-checkpoint.md): origin, size, root, signed. */
import {
  type Checkpoint,
  type CheckpointRestore,
  checkpointOrigin,
  checkpointSchema,
  MAX_RESTORES,
} from '../../domain/audit/checkpoint.ts';
import { SallyportError } from '../../domain/errors.ts';
import { generateNoteKey, type NoteKey, openNote, signNote } from './note.ts';

/** A vault's checkpoint key; its name is the log's origin, `sallyport/<vaultId>`. */
export function generateCheckpointKey(vaultId: string): NoteKey {
  return generateNoteKey(checkpointOrigin(vaultId));
}

/**
 * Extension line of a checkpoint after a restore: entries after the first number, up to the second, were replaced; then
 * the hash of the last of them. Other readers pass over it, as the specification has it.
 */
const RESTORED = /^sallyport-restored (0|[1-9][0-9]{0,15}) (-|0|[1-9][0-9]{0,15}) (-|[0-9a-f]{64})$/;

/** The signed note of a checkpoint. The key's name must be the checkpoint's origin. */
export function signCheckpoint(checkpoint: Checkpoint, skey: string): string {
  const { origin, size, root, restores = [] } = checkpointSchema.parse(checkpoint);
  if (!skey.startsWith(`PRIVATE+KEY+${origin}+`)) {
    throw new SallyportError('input.invalid', 'The checkpoint is of another log than the key.', {
      facts: { origin },
    });
  }
  const told = restores.map(
    ({ restored, lost, lostHash }) => `sallyport-restored ${restored} ${lost ?? '-'} ${lostHash ?? '-'}\n`,
  );
  return signNote(
    `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n${told.join('')}`,
    skey,
  );
}

/** The name in a public key, which is the origin of the log it signs for. */
export function originOf(vkey: string): string {
  return vkey.slice(0, Math.max(0, vkey.indexOf('+')));
}

/** What a signed checkpoint says, once its signature verified. `integrity.signature` otherwise. Extension lines that are not ours are ignored. */
export function verifyCheckpoint(note: string, vkey: string): Checkpoint {
  const [origin = '', size = '', root = '', ...extensions] = openNote(note, vkey).split('\n');
  const hash = Buffer.from(root, 'base64');
  const malformed =
    !/^(0|[1-9][0-9]{0,15})$/.test(size) || hash.length !== 32 || hash.toString('base64') !== root;
  if (malformed || origin !== originOf(vkey)) {
    throw new SallyportError(
      'integrity.signature',
      'The checkpoint is signed, but malformed or of another log.',
      { hint: 'It was not used.' },
    );
  }
  const restores = restoresIn(extensions);
  const checkpoint = { origin, size: Number(size), root: hash.toString('hex') };
  return restores.length === 0 ? checkpoint : { ...checkpoint, restores };
}

function restoresIn(lines: readonly string[]): CheckpointRestore[] {
  return lines
    .flatMap((line) => {
      const [, restored = '', lost = '', lostHash = ''] = RESTORED.exec(line) ?? [];
      if (restored === '') return [];
      return [
        {
          restored: Number(restored),
          lost: lost === '-' ? null : Number(lost),
          lostHash: lostHash === '-' ? null : lostHash,
        },
      ];
    })
    .slice(-MAX_RESTORES);
}
