/** Writes `policy.schema.json` from the schema the program itself checks policies with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policyJsonSchema } from '../../shared/domain/policy/json-schema.ts';

writeFileSync(
  join(import.meta.dirname, 'policy.schema.json'),
  `${JSON.stringify(policyJsonSchema(), null, 2)}\n`,
);
