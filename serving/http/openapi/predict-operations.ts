/** The routes of the predict listener that are not the Open Inference Protocol's. */
import {
  healthAnswerSchema,
  modelListSchema,
  predictAnswerSchema,
  predictBodySchema,
  versionListSchema,
} from '../../../shared/domain/endpoint/predict-api.ts';
import { json, type Operations } from './operation.ts';

export const PREDICT_OPERATIONS: Operations = {
  'POST /predict': {
    summary: 'Predictions for rows of features',
    description:
      'A row has the values of all inputs in the model’s order. Traffic is routed unless a version is named.',
    headers: ['X-Routing-Key'],
    body: { required: true, content: json('PredictBody', predictBodySchema) },
    answers: {
      200: { description: 'One prediction a row.', content: json('PredictAnswer', predictAnswerSchema) },
    },
    errors: [404, 422, 504],
  },
  'GET /health': {
    summary: 'Whether the agent takes calls',
    answers: {
      200: { description: 'It does.', content: json('Health', healthAnswerSchema) },
      503: { description: 'It starts, stops or is drained.', content: json('Health', healthAnswerSchema) },
    },
  },
  'GET /models': {
    summary: 'The models that are served',
    answers: { 200: { description: 'By name.', content: json('ModelList', modelListSchema) } },
  },
  'GET /models/:name/versions': {
    summary: 'The versions of a model, with their shares of traffic',
    path: { name: 'Name of the model.' },
    answers: {
      200: { description: 'Those that are loaded.', content: json('VersionList', versionListSchema) },
    },
    errors: [404],
  },
};

/** On both listeners. */
export const COMMON_OPERATIONS: Operations = {
  'GET /metrics': {
    summary: 'Metrics in the Prometheus text format',
    answers: { 200: { description: 'All families.', content: { 'text/plain': null } } },
  },
  'GET /openapi.json': {
    summary: 'This document',
    answers: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': null } } },
  },
};
