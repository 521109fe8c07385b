/** What a listener answered and refused, in plain numbers. */
import { REFUSAL_REASONS, type RefusalReason } from '../guard/refusal.ts';

export type ListenerName = 'predict' | 'admin';

export class ListenerCounts {
  readonly listener: ListenerName;
  /** Answers by status. */
  readonly answered = new Map<number, number>();
  readonly refused = new Map<RefusalReason, number>(REFUSAL_REASONS.map((reason) => [reason, 0]));

  constructor(listener: ListenerName) {
    this.listener = listener;
  }

  answer(status: number): void {
    this.answered.set(status, (this.answered.get(status) ?? 0) + 1);
  }

  refuse(reason: RefusalReason): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
  }
}
