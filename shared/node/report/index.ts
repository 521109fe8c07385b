export { curveChart, histogramChart } from './charts.ts';
export { renderComparisonReport, renderValidationReport } from './evaluation-report.ts';
export { escapeHtml, type Html, html } from './html.ts';
export { type HtmlReport, type ReportSection, renderHtmlReport } from './page.ts';
