/** What takes no new predictions for now, by an operator's wish: one model, or the whole agent. Ends with the process. */
import type { DrainAnswer } from '../shared/domain/endpoint/admin-api.ts';

export class Drain {
  #agent = false;
  readonly #models = new Set<string>();

  /** `model` null = the whole agent. */
  set(model: string | null, draining: boolean): void {
    if (model === null) this.#agent = draining;
    else if (draining) this.#models.add(model);
    else this.#models.delete(model);
  }

  /** Whether the whole agent takes none. */
  get agent(): boolean {
    return this.#agent;
  }

  holds(model: string): boolean {
    return this.#agent || this.#models.has(model);
  }

  answer(inFlight: number): DrainAnswer {
    return { agent: this.#agent, models: [...this.#models].sort(), inFlight };
  }
}
