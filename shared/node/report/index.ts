export { curveChart, histogramChart, lineChart } from './charts.ts';
export { renderComparisonReport } from './comparison-report.ts';
export { escapeHtml, type Html, html } from './html.ts';
export { type HtmlReport, type ReportSection, type ReportTable, renderHtmlReport } from './page.ts';
export { renderValidationReport } from './validation-report.ts';
