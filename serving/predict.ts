/** From a predict call to an answer: route, run, count, mirror. */
import type { PredictAnswer } from '../shared/domain/endpoint/predict-api.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { countRequest } from '../shared/domain/traffic/count.ts';
import type { NamedTensor } from '../shared/node/onnx/named-tensor.ts';
import { spokenLabels } from '../shared/node/onnx/output-mapping.ts';
import type { Predictions } from '../shared/node/onnx/worker-protocol.ts';
import { type Choice, choose, type Destination, Unavailable } from './choose.ts';
import type { AgentLimits } from './config.ts';
import type { Drain } from './drain.ts';
import { errorType, isEngineFault, isModelFault } from './faults.ts';
import type { ScoreGuard } from './guard/scores.ts';
import { checkInputs } from './inference/check-inputs.ts';
import type { VersionCounts } from './metrics/counts.ts';
import { scoreBoundsOf } from './metrics/models.ts';
import type { Metrics } from './metrics.ts';
import { Mirror } from './mirror.ts';
import type { LoadedRelease } from './release.ts';
import { blameLater, compareLater } from './second-answers.ts';
import type { Slots } from './slots.ts';

/** Where a call goes, and when it came. */
export interface Call extends Destination {
  /** `performance.now()` at the call's arrival. */
  readonly startedAt: number;
  /** Told how many rows were counted, before the model sees them; what it throws refuses the call. */
  readonly counted: (rows: number) => void;
}

/** Tensors by name, as the Open Inference Protocol has them. */
export interface InferQuestion {
  readonly inputs: readonly NamedTensor[];
  /** All of them when left out. */
  readonly outputs?: readonly string[] | undefined;
}

export interface InferAnswer {
  readonly outputs: readonly NamedTensor[];
  readonly version: string;
}

/** A call that was read and is about to run. */
interface Run {
  readonly call: Call;
  readonly release: LoadedRelease;
  readonly inputs: readonly NamedTensor[];
  readonly rows: number;
  /** Whether NaN and infinity may come and go. */
  readonly allowNonFinite: boolean;
}

/** One of the ways to ask: questions and answers are its own, what is between them is the same for all. */
interface Way<Question, Answer> {
  /** The question as inputs of this version. */
  inputs(release: LoadedRelease, question: Question): readonly NamedTensor[];
  /** Whether rows are cut to the batch that a model fixes. */
  readonly cuts: boolean;
  ask(run: Run, question: Question): Promise<readonly NamedTensor[]>;
  outcome(run: Run, question: Question, outputs: readonly NamedTensor[]): Outcome<Answer>;
}

/** What came of it; null where the model's answers are not one a row. */
interface Outcome<T> {
  readonly answer: T;
  readonly predictions: Predictions | null;
}

export interface PredictorOptions {
  readonly slots: Slots;
  readonly limits: AgentLimits;
  readonly metrics: Metrics;
  readonly drain: Drain;
  /** Whether NaN and infinity may reach this model. */
  readonly allowNonFinite: (model: string) => boolean;
  /** null = scores are shown as they are. */
  readonly scores: ScoreGuard | null;
}

export class Predictor {
  readonly #options: PredictorOptions;
  readonly #mirror: Mirror;
  #inFlight = 0;

  constructor(options: PredictorOptions) {
    this.#options = options;
    this.#mirror = new Mirror(options.limits.mirrorQueue);
    options.metrics.sources.inFlight = () => this.#inFlight;
    options.metrics.sources.mirrorQueue = () => this.#mirror.waiting;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** `features` = one row, or a list of them, as JSON has them. */
  predict(call: Call, features: unknown): Promise<PredictAnswer> {
    return this.#serve(call, features, this.#byRows);
  }

  infer(call: Call, question: InferQuestion): Promise<InferAnswer> {
    return this.#serve(call, question, this.#byTensors);
  }

  readonly #byRows: Way<unknown, PredictAnswer> = {
    cuts: true,
    inputs: (release, features) => release.readRows(features, this.#options.limits.rows),
    ask: ({ release, inputs }) => release.runRows(inputs, release.mapped),
    outcome: ({ call, release, inputs, rows, allowNonFinite }, _features, outputs) => {
      const predictions = release.read(outputs, rows, allowNonFinite);
      const labels = this.#shownLabels(release, inputs, outputs, predictions);
      const ms = performance.now() - call.startedAt;
      const answer = {
        predictions: spokenLabels(release.mapping, labels),
        model_version: release.ref.version,
        latency_ms: Math.round(ms * 1000) / 1000,
      };
      return { answer, predictions };
    },
  };

  readonly #byTensors: Way<InferQuestion, InferAnswer> = {
    cuts: false,
    inputs: (release, { inputs, outputs }) => {
      // What a version does not give any more is found here, where stable is asked as well.
      askedOutputs(release, outputs);
      return inputs;
    },
    ask: async ({ release, inputs }, question) => {
      const asked = askedOutputs(release, question.outputs);
      // What the mapping reads is asked for as well: scores are counted, and a canary is compared by its labels.
      return release.run(inputs, [...new Set([...asked, ...release.mapped])]);
    },
    outcome: ({ release, inputs, rows, allowNonFinite }, question, all) => {
      const count = askedOutputs(release, question.outputs).length;
      const outputs = this.#shown(release, inputs, all.slice(0, count));
      const answer = { outputs, version: release.ref.version };
      return { answer, predictions: predictionsOf(release, all, rows, allowNonFinite) };
    },
  };

  /** Outputs as callers see them: only here, so that counters and the mirror know the true ones. */
  #shown(
    release: LoadedRelease,
    inputs: readonly NamedTensor[],
    outputs: readonly NamedTensor[],
  ): readonly NamedTensor[] {
    const { scores } = this.#options;
    const { ref, mapping } = release;
    return scores === null ? outputs : scores.shown({ digest: ref.digest, mapping }, inputs, outputs);
  }

  /** The prediction of a regression is its score; a label is no score, and stays what it is. */
  #shownLabels(
    release: LoadedRelease,
    inputs: readonly NamedTensor[],
    outputs: readonly NamedTensor[],
    predictions: Predictions,
  ): Float64Array {
    if (this.#options.scores === null || release.mapping.kind !== 'regression') return predictions.labels;
    return release.read(this.#shown(release, inputs, outputs), predictions.labels.length, true).labels;
  }

  async #serve<Question, Answer>(
    call: Call,
    question: Question,
    way: Way<Question, Answer>,
  ): Promise<Answer> {
    const { limits, metrics } = this.#options;
    const chosen = choose(this.#options, call);
    // Only a version that has to be loaded first is waited for.
    const choice = chosen instanceof Promise ? await chosen : chosen;
    const { release, counter } = choice;
    const counts = metrics.version(call.model, release.ref.version, scoreBoundsOf(release.mapping));
    if (this.#inFlight >= limits.inFlight) {
      counts.failure('overload');
      choice.letGo?.();
      throw new Unavailable('Too many calls at once; try again in a moment.');
    }
    this.#inFlight++;
    try {
      const run = this.#read(call, question, way, choice, counts);
      call.counted(run.rows);
      try {
        const outputs = await way.ask(run, question);
        const { answer, predictions } = way.outcome(run, question, outputs);
        const ms = performance.now() - call.startedAt;
        if (counter) countRequest(counter, ms, false);
        counts.success(ms / 1000, run.rows, predictions?.scores ?? null);
        if (counter && predictions) compareLater(this.#mirror, metrics, choice, run, predictions.labels);
        return answer;
      } catch (error) {
        counts.failure(errorType(error));
        if (isModelFault(error)) blameLater(this.#mirror, choice, run);
        else if (counter && isEngineFault(error))
          countRequest(counter, performance.now() - call.startedAt, true);
        throw error;
      }
    } finally {
      this.#inFlight--;
      choice.letGo?.();
      this.#mirror.pump();
    }
  }

  #read<Question>(
    call: Call,
    question: Question,
    way: Way<Question, unknown>,
    choice: Choice,
    counts: VersionCounts,
  ): Run {
    const { rows } = this.#options.limits;
    const allowNonFinite = this.#options.allowNonFinite(call.model);
    const read = (release: LoadedRelease): Run => {
      const inputs = way.inputs(release, question);
      const count = checkInputs(release.info, inputs, { rows, allowNonFinite, anyCount: way.cuts });
      return { call, release, inputs, rows: count, allowNonFinite };
    };
    try {
      return readInput(choice, read);
    } catch (error) {
      const unfit = error instanceof UnfitInput;
      counts.failure(unfit ? 'input' : errorType(error));
      if (choice.counter && (unfit ? error.fault : isEngineFault(error)))
        countRequest(choice.counter, performance.now() - call.startedAt, true);
      throw error;
    }
  }
}

/** Input that does not fit the version; `fault` = the version's fault, counted against it. */
class UnfitInput extends SallyportError {
  readonly fault: boolean;
  constructor({ code, message, hint, facts }: SallyportError, fault: boolean) {
    super(code, message, { facts, ...(hint === undefined ? {} : { hint }) });
    this.fault = fault;
  }
}

/** Input that stable would have taken, and the canary does not: then it is the canary that does not fit its callers. */
function readInput({ release, live, canary }: Choice, read: (release: LoadedRelease) => Run): Run {
  try {
    return read(release);
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    let fault = false;
    if (canary && live.stable) {
      try {
        read(live.stable);
        fault = true;
      } catch {
        // Stable does not take it either.
      }
    }
    throw new UnfitInput(error, fault);
  }
}

function askedOutputs(release: LoadedRelease, asked: readonly string[] | undefined): readonly string[] {
  const all = release.info.outputs.map(({ name }) => name);
  if (asked === undefined) return all;
  for (const name of asked) {
    if (all.includes(name)) continue;
    const left = release.info.leftOut.includes(name) ? ' that is a tensor' : '';
    throw new SallyportError('input.invalid', `The model has no output "${name}"${left}.`, {
      facts: { output: name },
    });
  }
  if (new Set(asked).size < asked.length)
    throw new SallyportError('input.invalid', 'An output is asked for more than once.');
  return asked;
}

/** Null where the mapped outputs are not one answer a row: the caller has his tensors all the same. */
function predictionsOf(
  release: LoadedRelease,
  outputs: readonly NamedTensor[],
  count: number,
  allowed: boolean,
): Predictions | null {
  try {
    return release.read(outputs, count, allowed);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'model.unmappable') return null;
    throw error;
  }
}
