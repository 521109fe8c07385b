/** One measured figure. */
export interface BenchRow {
  /** `bench.figure`, the same from run to run. */
  readonly name: string;
  /** Median over the runs, unless the name says otherwise. */
  readonly value: number;
  readonly unit: string;
  /** value ÷ what the machine could do at best, measured in the same run (for rates too: 1 = at the limit). */
  readonly ofLimit?: number;
  /** value ÷ what a comparable program does, measured in the same run. */
  readonly ofPeer?: number;
  /** What limit or peer is, with its figure. */
  readonly against?: string;
  /** null: a figure to watch, nobody promised one. */
  readonly goal: string | null;
  readonly met: boolean | null;
}

export type Goal =
  | { readonly atMost: number; readonly of: 'value' | 'limit' | 'peer' }
  | { readonly atLeast: number; readonly of: 'value' | 'limit' | 'peer' };

export interface RowInput {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: { readonly what: string; readonly value: number };
  readonly peer?: { readonly what: string; readonly value: number };
  readonly goal?: Goal;
}

const rounded = (value: number): number => Number(value.toPrecision(4));

/** Computes ratios and the verdict: a goal is judged on unrounded figures. */
export function row({ name, value, unit, limit, peer, goal }: RowInput): BenchRow {
  const ofLimit = limit === undefined ? undefined : value / limit.value;
  const ofPeer = peer === undefined ? undefined : value / peer.value;
  const against = [limit, peer]
    .filter((one) => one !== undefined)
    .map((one) => `${one.what}: ${rounded(one.value)} ${unit}`)
    .join('; ');
  return {
    name,
    value: rounded(value),
    unit,
    ...(ofLimit === undefined ? {} : { ofLimit: rounded(ofLimit) }),
    ...(ofPeer === undefined ? {} : { ofPeer: rounded(ofPeer) }),
    ...(against === '' ? {} : { against }),
    ...judge(goal, value, unit, ofLimit, ofPeer),
  };
}

function judge(
  goal: Goal | undefined,
  value: number,
  unit: string,
  ofLimit: number | undefined,
  ofPeer: number | undefined,
): Pick<BenchRow, 'goal' | 'met'> {
  if (goal === undefined) return { goal: null, met: null };
  const measured = { value, limit: ofLimit, peer: ofPeer }[goal.of];
  if (measured === undefined)
    throw new Error(`A goal of the ${goal.of} needs that ${goal.of} to be measured.`);
  const unitText = goal.of === 'value' ? ` ${unit}` : ` × ${goal.of}`;
  return 'atMost' in goal
    ? { goal: `≤ ${goal.atMost}${unitText}`, met: measured <= goal.atMost }
    : { goal: `≥ ${goal.atLeast}${unitText}`, met: measured >= goal.atLeast };
}

/** What a bench is given. */
export interface BenchContext {
  /** An empty directory of its own, removed afterwards. */
  readonly directory: string;
  /** How long the soak takes. */
  readonly minutes: number;
  /** A line on stderr: what is being done. */
  say(text: string): void;
}

export type Bench = (context: BenchContext) => Promise<BenchRow[]>;
