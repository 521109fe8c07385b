/** Signed checkpoints of the audit log. */
export { generateCheckpointKey, originOf, signCheckpoint, verifyCheckpoint } from './checkpoint.ts';
export { type NoteKey, vkeyOf } from './note.ts';
