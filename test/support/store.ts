/** An open store on a real encrypted file, and records to put into it. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../electron/adapters/sqlite/store.ts';
import type { Store } from '../../electron/ports/stores.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import { temporaryDirectory } from './temp.ts';

export const KEY = randomBytes(32);
export const AT = '2026-01-01T00:00:00.000Z';
export const HASH = 'a'.repeat(64);

export function store(): Store & { readonly path: string } {
  const path = join(temporaryDirectory(), 'registry.db');
  const opened = openStore(path, KEY, { create: true });
  onTestFinished(() => opened.close());
  return Object.assign(opened, { path });
}

let counter = 0;
export function version(change: Partial<ModelVersion> = {}): ModelVersion {
  counter++;
  return {
    id: `id-${counter}`,
    name: 'phish',
    version: `1.0.${counter}`,
    digest: HASH,
    sizeBytes: 100,
    artifactId: `artifact-${counter}`,
    state: 'draft',
    parent: null,
    metadata: {},
    findings: [],
    rulesRun: ['a@1'],
    mapping: null,
    addedBy: 'ada',
    addedAt: AT,
    onnx: {
      irVersion: 8,
      producerName: 'p',
      producerVersion: '1',
      modelVersion: 0,
      docString: '',
      graphName: 'g',
      opsets: [{ domain: '', version: 15 }],
      operators: [{ domain: '', type: 'Gemm', count: 1 }],
      nodeCount: 1,
      functionCount: 0,
      maxDepth: 0,
      inputs: [{ name: 'x', kind: 'tensor', elementType: 'float', shape: ['N', 3, null] }],
      outputs: [],
      initializerCount: 0,
      parameterCount: 0,
      metadata: {},
      externalData: [],
      sizeBytes: 100,
    },
    ...change,
  };
}
