import { describe, expect, it } from 'vitest';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { DEFAULT_ONNX_LIMITS, type OnnxLimits } from '../../../shared/domain/onnx/limits.ts';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import { type ByteSource, onnxSummarySchema } from '../../../shared/domain/onnx/summary.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import * as build from '../../support/onnx-builder.ts';

function read(bytes: Uint8Array, limits: Partial<OnnxLimits> = {}) {
  return readOnnx(bytesSource(bytes), { ...DEFAULT_ONNX_LIMITS, ...limits });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SallyportError) return error.code;
    throw error;
  }
  return 'none';
}

describe('reading an ONNX file', () => {
  it('tells what a logistic regression is', () => {
    const bytes = build.model({ ...build.logisticRegression(3), doc: 'a detector' });
    const { summary, facts } = read(bytes);
    expect(summary).toEqual({
      irVersion: 8,
      producerName: 'builder',
      producerVersion: '',
      modelVersion: 0,
      docString: 'a detector',
      graphName: 'g',
      opsets: [{ domain: '', version: 15 }],
      operators: [
        { domain: '', type: 'ArgMax', count: 1 },
        { domain: '', type: 'Gemm', count: 1 },
        { domain: '', type: 'Sigmoid', count: 1 },
      ],
      nodeCount: 3,
      functionCount: 0,
      maxDepth: 1,
      inputs: [{ name: 'features', kind: 'tensor', elementType: 'float', shape: ['N', 3] }],
      outputs: [
        { name: 'label', kind: 'tensor', elementType: 'int64', shape: ['N'] },
        { name: 'probabilities', kind: 'tensor', elementType: 'float', shape: ['N', 2] },
      ],
      initializerCount: 2,
      parameterCount: 8,
      metadata: { features: 'f0,f1,f2' },
      externalData: [],
      sizeBytes: bytes.length,
    });
    expect(onnxSummarySchema.parse(summary)).toEqual(summary);
    expect(facts.unknownFields).toEqual([]);
    expect(facts.repeatedFields).toEqual([]);
  });

  it('counts the float lists of a forest alike packed and unpacked, and not its structure', () => {
    expect(read(build.model(build.forest(100))).summary.parameterCount).toBe(600);
    expect(read(build.model(build.forest(100, true))).summary.parameterCount).toBe(600);
  });

  it('counts tensors of ai.onnx.ml attributes and the stored values of sparse initializers', () => {
    const values = build.tensor({ name: 's', dims: [4], floats: [1, 2, 3, 4] });
    const indices = build.tensor({ dims: [4], type: 7, raw: new Uint8Array(32) });
    const { summary } = read(
      build.model({
        graph: {
          nodes: [
            {
              type: 'TreeEnsemble',
              domain: 'ai.onnx.ml',
              attributes: [
                {
                  name: 'nodes_splits',
                  tensor: build.tensor({ dims: [5], type: 11, raw: new Uint8Array(40) }),
                },
                { name: 'nodes_modes', tensor: build.tensor({ dims: [5], type: 2, raw: new Uint8Array(5) }) },
              ],
            },
          ],
          sparseInitializers: [build.sparse(values, indices, [1000, 1000])],
        },
      }),
    );
    expect(summary.parameterCount).toBe(9);
    expect(summary.initializerCount).toBe(1);
  });

  it('reads every kind of value', () => {
    const float = build.tensorType(1, [null, 2]);
    const { summary } = read(
      build.model({
        graph: {
          outputs: [
            build.value('t', float),
            build.value('zipmap', build.sequenceType(build.mapType(7, build.tensorType(1, null)))),
            build.value('m', build.mapType(8, build.tensorType(11, null))),
            build.value('o', build.optionalType(float)),
            build.value('s', build.sparseType(10, [3])),
            build.value('u', null),
            build.value('open', build.tensorType(7, null)),
          ],
        },
      }),
    );
    expect(summary.outputs.map((value) => [value.name, value.kind, value.elementType, value.shape])).toEqual([
      ['t', 'tensor', 'float', [null, 2]],
      ['zipmap', 'sequence', 'float', null],
      ['m', 'map', 'double', null],
      ['o', 'optional', 'float', null],
      ['s', 'sparse', 'float16', [3]],
      ['u', 'unknown', 'unknown', null],
      ['open', 'tensor', 'int64', null],
    ]);
  });

  it('does not list initializers among the inputs, as files before IR version 4 do', () => {
    const spec = build.logisticRegression();
    const inputs = [...(spec.graph?.inputs ?? []), build.value('w', build.tensorType(1, [3, 2]))];
    expect(
      read(build.model({ ...spec, irVersion: 3, graph: { ...spec.graph, inputs } })).summary.inputs.map(
        (value) => value.name,
      ),
    ).toEqual(['features']);
  });

  it('counts nested graphs, functions and training graphs', () => {
    const inner = build.graph({
      nodes: [{ type: 'Add', inputs: ['a', 'a'], outputs: ['c'] }],
      initializers: [{ name: 'k', dims: [2], floats: [1, 2] }],
    });
    const { summary, facts } = read(
      build.model({
        graph: {
          nodes: [
            {
              type: 'If',
              inputs: ['a'],
              outputs: ['b'],
              attributes: [
                { name: 'then_branch', graph: inner },
                { name: 'both', graphs: [inner, inner] },
              ],
            },
          ],
        },
        functions: [{ name: 'f', nodes: [{ type: 'Mul' }], attributes: [{ name: 'default', graph: inner }] }],
        training: build.bytes(2, build.graph({ nodes: [{ type: 'Sub' }] })),
      }),
    );
    expect(summary).toMatchObject({
      nodeCount: 7,
      functionCount: 1,
      maxDepth: 2,
      initializerCount: 4,
      parameterCount: 8,
    });
    expect(facts.trainingGraphs).toBe(1);
    expect(summary.operators.find((operator) => operator.type === 'Add')?.count).toBe(4);
  });

  it('keeps a metadata key called __proto__ as a key', () => {
    const { metadata } = read(
      build.model({
        metadata: [
          ['__proto__', 'x'],
          ['a', 'b'],
        ],
      }),
    ).summary;
    expect(Object.keys(metadata)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  it('never reads the weights', () => {
    const bytes = build.model({
      graph: { initializers: [{ name: 'w', dims: [5_000_000], raw: new Uint8Array(20_000_000) }] },
    });
    let touched = 0;
    const source: ByteSource = {
      size: bytes.length,
      read: (offset, length) => {
        touched += length;
        return bytes.subarray(offset, offset + length);
      },
    };
    expect(readOnnx(source).summary.parameterCount).toBe(5_000_000);
    expect(touched).toBeLessThan(200_000);
  });

  it('reads the same through any source, whatever the sizes around its window', () => {
    const metadata = Array.from({ length: 40 }, (_, index): [string, string] => [
      `key-${index}`,
      'ä€😀'.repeat(900 + index),
    ]);
    const bytes = build.model({ ...build.forest(2000), metadata });
    const copying: ByteSource = {
      size: bytes.length,
      read: (offset, length) => bytes.slice(offset, offset + length),
    };
    expect(readOnnx(copying)).toEqual(read(bytes));
    expect(read(bytes).summary.metadata['key-39']).toBe('ä€😀'.repeat(939));
  });
});

describe('what is no ONNX file', () => {
  const others: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('label,f0,f1\n1,0.5,0.25\n'.repeat(50))],
    ['JSON', new TextEncoder().encode('{"model": true}')],
    ['a ZIP archive', Uint8Array.from([0x50, 0x4b, 3, 4, 20, 0, 0, 0, 8, 0, 1, 2, 3, 4])],
    ['a PNG', Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])],
    ['a pickle', Uint8Array.from([0x80, 4, 0x95, 0x1a, 0, 0, 0, 0, 0, 0, 0, 0x8c])],
    ['zeros', new Uint8Array(4096)],
    ['ones', new Uint8Array(4096).fill(0xff)],
    ['a protobuf without an IR version', build.bytes(7, build.graph({}))],
  ];
  it.each(others)('%s is refused as not ONNX', (_, bytes) => {
    expect(codeOf(() => read(bytes))).toBe('model.not-onnx');
  });

  it('a file cut anywhere before its opsets is truncated', () => {
    const bytes = build.model({ ...build.logisticRegression(), metadata: [] });
    const opsets = build.bytes(8, build.concat(build.text(1, ''), build.int(2, 15))).length;
    for (let length = 3; length < bytes.length - opsets; length += 1) {
      expect(
        codeOf(() => read(bytes.subarray(0, length))),
        `cut at ${length}`,
      ).toBe('model.truncated');
    }
  });

  it('a source that ends before its stated size is truncated', () => {
    const bytes = build.model(build.logisticRegression());
    const lying: ByteSource = {
      size: bytes.length + 100,
      read: (offset, length) => bytes.subarray(offset, offset + length),
    };
    expect(codeOf(() => readOnnx(lying))).toBe('model.truncated');
  });

  it('a length that runs past its message is damage', () => {
    const bytes = build.concat(
      build.int(1, 8),
      build.bytes(7, build.concat(build.tag(1, 2), build.varint(1000))),
      build.bytes(8, build.int(2, 15)),
    );
    expect(codeOf(() => read(bytes))).toBe('model.not-onnx');
  });
});

describe('limits', () => {
  it('400 nested graphs are refused, and read without a limit, without overflowing the stack', () => {
    // Written inside out in one buffer: each level is attribute(g) in node in graph.
    let body: Uint8Array = build.graph({});
    for (let level = 0; level < 400; level += 1)
      body = build.graph({ nodes: [{ type: 'If', attributes: [{ name: 'b', graph: body }] }] });
    const bytes = build.concat(build.int(1, 8), build.bytes(7, body), build.bytes(8, build.int(2, 15)));
    expect(codeOf(() => read(bytes))).toBe('model.unsupported');
    expect(codeOf(() => read(bytes, { depth: 100_000 }))).toBe('none');
  });

  it('deeply nested types and groups are refused', () => {
    let type: Uint8Array = build.tensorType(1, [1]);
    for (let level = 0; level < 200; level += 1) type = build.sequenceType(type);
    expect(codeOf(() => read(build.model({ graph: { inputs: [build.value('x', type)] } })))).toBe(
      'model.unsupported',
    );
    const groups = build.concat(build.int(1, 8), ...Array.from({ length: 5000 }, () => build.tag(99, 3)));
    expect(codeOf(() => read(groups))).toBe('model.unsupported');
  });

  const spec = build.logisticRegression();
  const limits: [keyof OnnxLimits, Partial<OnnxLimits>][] = [
    ['fileBytes', { fileBytes: 10 }],
    ['nodes', { nodes: 2 }],
    ['tensors', { tensors: 1 }],
    ['messages', { messages: 5 }],
    ['fields', { fields: 20 }],
    ['nameBytes', { nameBytes: 4 }],
    ['textBytes', { textBytes: 4 }],
    ['totalTextBytes', { totalTextBytes: 30 }],
    ['strings', { strings: 5 }],
    ['metadataEntries', { metadataEntries: 0 }],
    ['dimensions', { dimensions: 1 }],
    ['numbers', { numbers: 2 }],
    ['graphs', { graphs: 0 }],
  ];
  it.each(limits)('%s is kept', (_, limit) => {
    expect(codeOf(() => read(build.model(spec)))).toBe('none');
    expect(codeOf(() => read(build.model(spec), limit))).toBe('model.unsupported');
  });

  it('functions is kept', () => {
    expect(
      codeOf(() => read(build.model({ functions: [{ name: 'a' }, { name: 'b' }] }), { functions: 1 })),
    ).toBe('model.unsupported');
  });
});

describe('what parsers may disagree about', () => {
  it('merges a graph that comes twice, as protobuf does, and tells', () => {
    const bytes = build.concat(
      build.model(build.logisticRegression()),
      build.bytes(7, build.graph({ nodes: [{ type: 'PyOp' }] })),
    );
    const { summary, facts } = read(bytes);
    expect(summary.nodeCount).toBe(4);
    expect(facts.repeatedFields).toEqual([{ message: 'ModelProto', field: 7, count: 2 }]);
  });

  it('skips unknown fields and groups, and a known field in a wrong wire type, and tells', () => {
    const hidden = build.concat(
      build.bytes(500, new Uint8Array(1000)),
      build.tag(600, 3),
      build.int(1, 5),
      build.tag(600, 4),
      build.int(2, 7),
    );
    const { summary, facts } = read(build.concat(build.model({}), hidden));
    expect(summary.producerName).toBe('builder');
    expect(facts.unknownFields.map(({ field, count }) => [field, count])).toEqual([
      [500, 1],
      [600, 1],
      [2, 1],
    ]);
    expect(facts.unknownFields[0]?.bytes).toBe(1004);
  });

  it('takes a tensor as external as soon as any occurrence says so', () => {
    const sneaky = build.concat(build.tensor({ name: 'w', dims: [1], location: 1 }), build.int(14, 0));
    const bytes = build.concat(
      build.int(1, 8),
      build.bytes(7, build.bytes(5, sneaky)),
      build.bytes(8, build.int(2, 15)),
    );
    expect(read(bytes).summary.externalData).toEqual([{ tensor: 'w', keys: {} }]);
  });

  it('does not let overflowing dimensions become NaN', () => {
    const { summary } = read(
      build.model({
        graph: { initializers: [{ name: 'w', dims: [...Array.from({ length: 30 }, () => 2n ** 62n), 0] }] },
      }),
    );
    expect(summary.parameterCount).toBe(0);
  });

  it('replaces bytes that are no UTF-8', () => {
    const bytes = build.concat(
      build.model({}),
      build.bytes(
        3,
        Uint8Array.from([0x61, 0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82]),
      ),
    );
    expect(read(bytes).summary.producerVersion).toBe('a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD😀\uFFFD\uFFFD');
  });
});
