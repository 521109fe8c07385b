/** How pushes of releases ended, and how much came in. */
import { SallyportError } from '../../shared/domain/errors.ts';

export const PUSH_RESULTS = ['stored', 'refused', 'damaged', 'no_room', 'failed'] as const;
export type PushResult = (typeof PUSH_RESULTS)[number];

export class PushCounts {
  readonly results = new Map<PushResult, number>(PUSH_RESULTS.map((result) => [result, 0]));
  /** Encrypted bytes of files, those of uploads that were given up included. */
  bytes = 0;

  ended(result: PushResult): void {
    this.results.set(result, (this.results.get(result) ?? 0) + 1);
  }

  /** Counts the failure of a step of a push, and hands it on. */
  async watch<T>(step: Promise<T>): Promise<T> {
    try {
      return await step;
    } catch (error) {
      this.ended(resultOf(error));
      throw error;
    }
  }
}

export function resultOf(error: unknown): PushResult {
  if (!(error instanceof SallyportError)) return 'failed';
  if (error.code === 'disk.full') return 'no_room';
  if (error.code.startsWith('integrity.')) return 'damaged';
  return error.code === 'unexpected' ? 'failed' : 'refused';
}
