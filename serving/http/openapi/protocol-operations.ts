/** The Open Inference Protocol, version 2, as far as it is served. */
import {
  inferAnswerSchema,
  inferRequestSchema,
  liveSchema,
  modelConfigSchema,
  modelMetadataSchema,
  modelReadySchema,
  modelStatsSchema,
  readySchema,
  repositoryIndexBodySchema,
  repositoryIndexSchema,
  serverMetadataSchema,
} from '../../../shared/domain/open-inference/messages.ts';
import { json, type Operation, type Operations } from './operation.ts';

const MODEL = { model: 'Name of the model.' };
const VERSION = {
  ...MODEL,
  version:
    'A version that was served here and is still stored, such as `1.1.0`; one that is not in memory is loaded first.',
};

const infer: Operation = {
  summary: 'Inference',
  description:
    'Tensors in JSON, or in binary after it: little-endian, in the order of the inputs, each as long as its parameter `binary_data_size` says. An output is answered in binary where its parameter `binary_data`, or the request’s `binary_data_output`, is true. Unknown parameters are ignored.',
  headers: ['X-Routing-Key', 'Inference-Header-Content-Length', 'Content-Encoding', 'Accept-Encoding'],
  body: {
    required: true,
    content: { ...json('InferRequest', inferRequestSchema), 'application/octet-stream': null },
  },
  answers: {
    200: {
      description: 'The outputs that were asked for, or all; as bytes where one of them is binary.',
      content: { ...json('InferAnswer', inferAnswerSchema), 'application/octet-stream': null },
      headers: ['Inference-Header-Content-Length', 'Content-Encoding'],
    },
  },
  errors: [404, 422, 504],
};
const metadata: Operation = {
  summary: 'Inputs and outputs of a model',
  answers: { 200: { description: 'Its interface.', content: json('ModelMetadata', modelMetadataSchema) } },
  errors: [404],
};
const ready: Operation = {
  summary: 'Whether a model can be asked',
  answers: { 200: { description: 'It can.', content: json('ModelReady', modelReadySchema) } },
  errors: [404],
};
const config: Operation = {
  summary: 'What is true here of Triton’s model configuration',
  answers: { 200: { description: 'Types and shapes.', content: json('ModelConfig', modelConfigSchema) } },
  errors: [404],
};
const stats: Operation = {
  summary: 'What was counted since the agent started',
  description: 'Calls of every API of this listener.',
  answers: { 200: { description: 'By version.', content: json('ModelStats', modelStatsSchema) } },
  errors: [404],
};

/** One that is kept and not in memory is loaded for it. */
const ofVersion = (operation: Operation): Operation => ({
  ...operation,
  path: VERSION,
  errors: [...(operation.errors ?? []), 504],
});

export const PROTOCOL_OPERATIONS: Operations = {
  'GET /v2': {
    summary: 'The server and its extensions of the protocol',
    answers: { 200: { description: 'Metadata.', content: json('ServerMetadata', serverMetadataSchema) } },
  },
  'GET /v2/health/live': {
    summary: 'Whether the agent runs',
    answers: { 200: { description: 'It does.', content: json('Live', liveSchema) } },
  },
  'GET /v2/health/ready': {
    summary: 'Whether the agent takes calls',
    answers: { 200: { description: 'It does.', content: json('Ready', readySchema) } },
  },
  'GET /v2/models/:model': { ...metadata, path: MODEL },
  'GET /v2/models/:model/versions/:version': ofVersion(metadata),
  'GET /v2/models/:model/ready': { ...ready, path: MODEL },
  'GET /v2/models/:model/versions/:version/ready': ofVersion(ready),
  'GET /v2/models/:model/config': { ...config, path: MODEL },
  'GET /v2/models/:model/versions/:version/config': ofVersion(config),
  'GET /v2/models/stats': { ...stats, errors: [] },
  'GET /v2/models/:model/stats': { ...stats, path: MODEL },
  'GET /v2/models/:model/versions/:version/stats': ofVersion(stats),
  'POST /v2/models/:model/infer': { ...infer, path: MODEL },
  'POST /v2/models/:model/versions/:version/infer': { ...infer, path: VERSION },
  'POST /v2/repository/index': {
    summary: 'The models and versions that are loaded',
    description: 'Read-only: releases come in on the admin listener, with their signatures.',
    body: { required: false, content: json('RepositoryIndexBody', repositoryIndexBodySchema) },
    answers: {
      200: { description: 'One entry a version.', content: json('RepositoryIndex', repositoryIndexSchema) },
    },
    errors: [422],
  },
};
