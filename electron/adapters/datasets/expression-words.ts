/** What an expression of the user may be made of. Whatever is not listed is refused, also what later versions bring. */

/** Functions of their arguments alone: no file, no setting, no variable, no randomness, and no way to make long text. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  // numbers
  ...[
    'abs',
    'cbrt',
    'ceil',
    'ceiling',
    'exp',
    'floor',
    'greatest',
    'isfinite',
    'isinf',
    'isnan',
    'least',
    'ln',
  ],
  ...['log', 'log10', 'log2', 'mod', 'pow', 'power', 'round', 'sign', 'sqrt', 'trunc'],
  // text
  ...[
    'char_length',
    'character_length',
    'concat',
    'contains',
    'ends_with',
    'ilike_escape',
    'instr',
    'lcase',
    'left',
  ],
  ...[
    'len',
    'length',
    'like_escape',
    'lower',
    'ltrim',
    'not_ilike_escape',
    'not_like_escape',
    'position',
    'prefix',
  ],
  ...[
    'regexp_extract',
    'regexp_full_match',
    'regexp_matches',
    'reverse',
    'right',
    'rtrim',
    'starts_with',
    'strlen',
  ],
  ...['strpos', 'substr', 'substring', 'suffix', 'trim', 'ucase', 'upper'],
  // times
  ...[
    'date_diff',
    'date_part',
    'date_trunc',
    'datediff',
    'datepart',
    'day',
    'dayofweek',
    'dayofyear',
    'epoch',
  ],
  ...[
    'epoch_ms',
    'hour',
    'isodow',
    'make_date',
    'minute',
    'month',
    'quarter',
    'second',
    'to_days',
    'to_hours',
  ],
  ...[
    'to_milliseconds',
    'to_minutes',
    'to_months',
    'to_seconds',
    'to_timestamp',
    'to_weeks',
    'to_years',
    'week',
  ],
  ...['weekday', 'year'],
  'nullif',
]);

/** Operators that the parser hands over as functions of one or two arguments. */
export const OPERATORS: ReadonlySet<string> = new Set([
  ...['+', '-', '*', '/', '//', '%', '**', '^', '||', '&', '|', '<<', '>>'],
  ...['~~', '!~~', '~~*', '!~~*', '~~~', '^@'],
]);

export const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
};

/** Types a value may be cast to. */
export const CAST_TYPES: ReadonlySet<string> = new Set([
  ...['BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'],
  ...['FLOAT', 'DOUBLE', 'VARCHAR', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL'],
]);
