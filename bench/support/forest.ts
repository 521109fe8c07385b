import { treesToOnnx } from '../../resources/samples/generator/detectors.ts';
import { createRandom } from '../../shared/domain/statistics/index.ts';

export const FOREST_TREES = 100;
export const FOREST_FEATURES = 30;
/** Full trees of this depth: 1,024 leaves each, a random forest of usual size on some ten thousand rows. */
const DEPTH = 10;

type Trees = Parameters<typeof treesToOnnx>[0];
type Node = Trees['trees'][number][number];

/** A forest of 100 trees over 30 features in [0, 1], each split at a random place: as long to walk as a trained one. */
export function forest(seed: number): Uint8Array {
  const random = createRandom(seed);
  const trees = Array.from({ length: FOREST_TREES }, () => {
    const nodes: Node[] = [];
    const grow = (depth: number): number => {
      const at = nodes.push({ kind: 'leaf', value: 0 }) - 1;
      if (depth === DEPTH) nodes[at] = { kind: 'leaf', value: (random.uniform() - 0.5) / 2 };
      else {
        const feature = Math.floor(random.uniform() * FOREST_FEATURES);
        const threshold = random.uniform();
        nodes[at] = { kind: 'split', feature, threshold, left: grow(depth + 1), right: grow(depth + 1) };
      }
      return at;
    };
    grow(0);
    return nodes;
  });
  return treesToOnnx({ base: 0, trees }, 'A random forest for benchmarks.', forestColumns());
}

export function forestColumns(): string[] {
  return Array.from({ length: FOREST_FEATURES }, (_, index) => `f${index}`);
}
