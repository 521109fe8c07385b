import { rekeySummary } from '../../../shared/domain/vault/rekey-words.ts';

/** What a rekey has done, and no more than that, without the spelling of the command line. */
export function rekeyDone(done: { readonly artifacts: number; readonly full: boolean }): string[] {
  return rekeySummary(done).map((sentence) => sentence.replace(/ --full [^.]*\.$/, ''));
}
