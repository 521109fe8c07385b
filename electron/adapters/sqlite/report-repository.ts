import { comparisonReportSchema, validationReportSchema } from '../../../shared/domain/metrics/report.ts';
import type { EncryptedDatabase } from '../../../shared/node/sqlite/database.ts';
import type { ReportReader, ReportWriter } from '../../ports/stores.ts';
import { fromJson, toJson } from './json.ts';
import { setMeasured } from './registry-repository.ts';

interface ReportRow {
  readonly report: string;
}
const validationOf = (row: ReportRow) => fromJson(validationReportSchema, row.report, 'validation report');
const comparisonOf = (row: ReportRow) => fromJson(comparisonReportSchema, row.report, 'comparison report');

export function reportReader(db: EncryptedDatabase): ReportReader {
  return {
    validation: (id) => {
      const row = db.get<ReportRow>('SELECT report FROM validations WHERE id = ?', id);
      return row ? validationOf(row) : null;
    },
    validations: (ref) =>
      (ref
        ? db.all<ReportRow>(
            'SELECT report FROM validations WHERE name = ? AND version = ? ORDER BY position DESC',
            ref.name,
            ref.version,
          )
        : db.all<ReportRow>('SELECT report FROM validations ORDER BY position DESC LIMIT 1000')
      ).map(validationOf),
    comparison: (id) => {
      const row = db.get<ReportRow>('SELECT report FROM comparisons WHERE id = ?', id);
      return row ? comparisonOf(row) : null;
    },
    comparisons: (ref) =>
      (ref
        ? db.all<ReportRow>(
            `SELECT report FROM comparisons WHERE (champion_name = ? AND champion_version = ?)
               OR (challenger_name = ? AND challenger_version = ?) ORDER BY position DESC`,
            ref.name,
            ref.version,
            ref.name,
            ref.version,
          )
        : db.all<ReportRow>('SELECT report FROM comparisons ORDER BY position DESC LIMIT 1000')
      ).map(comparisonOf),
  };
}

export function reportWriter(db: EncryptedDatabase): ReportWriter {
  return {
    ...reportReader(db),
    insertValidation: (report) => {
      const { name, version } = report.ref;
      db.run(
        'INSERT INTO validations (id, name, version, report) VALUES (?, ?, ?, ?)',
        report.id,
        name,
        version,
        toJson(report),
      );
      setMeasured(db, report.ref, report.metrics);
    },
    insertComparison: (report) => {
      db.run(
        'INSERT INTO comparisons (id, champion_name, champion_version, challenger_name, challenger_version, report) VALUES (?, ?, ?, ?, ?, ?)',
        report.id,
        report.champion.name,
        report.champion.version,
        report.challenger.name,
        report.challenger.version,
        toJson(report),
      );
    },
  };
}
