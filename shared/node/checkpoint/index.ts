/** Signed checkpoints of the audit log. */
export { generateCheckpointKey, originOf, signCheckpoint, verifyCheckpoint } from './checkpoint.ts';
export { checkCheckpointKey, type NoteKey, openNote, signNote, vkeyOf } from './note.ts';
