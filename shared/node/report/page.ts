import { type Html, html } from './html.ts';

/** Cells are escaped text, or marked-up by `html`. */
export interface ReportTable {
  readonly caption?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | Html)[])[];
}

/** A part of a report. Text is escaped; newlines make paragraphs. */
export interface ReportSection {
  readonly heading: string;
  readonly text?: string;
  /** `good`, `open` and `bad` colour the heading's mark; `plain` has none. */
  readonly tone?: 'good' | 'open' | 'bad' | 'plain';
  readonly facts?: readonly { readonly name: string; readonly value: string }[];
  readonly table?: ReportTable;
  /** Further tables, behind the figures. */
  readonly tables?: readonly ReportTable[];
  /** Preformatted output, e.g. of a command. */
  readonly code?: string;
  /** Charts, from `charts.ts`. */
  readonly figures?: readonly Html[];
}

export interface HtmlReport {
  readonly title: string;
  readonly subtitle?: string;
  readonly sections: readonly ReportSection[];
}

/**
 * One HTML file that needs nothing else: no script, no font, no request. Its own policy forbids them, so that text of a
 * model or a data row can do nothing even if it were markup.
 */
export function renderHtmlReport({ title, subtitle, sections }: HtmlReport): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer"><title>${title}</title><style>${{ markup: STYLE }}</style></head>
<body><main><header><h1>${title}</h1>${subtitle === undefined ? null : html`<p class="subtitle">${subtitle}</p>`}</header>
${sections.map(renderSection)}
</main></body></html>
`;
  return page.markup;
}

function renderSection({
  heading,
  text,
  tone = 'plain',
  facts,
  table,
  tables = [],
  code,
  figures,
}: ReportSection): Html {
  return html`<section class="${tone}"><h2>${heading}</h2>
${text === undefined ? null : text.split(/\n+/).map((line) => html`<p>${line}</p>`)}
${facts === undefined ? null : html`<dl>${facts.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`}
${figures === undefined || figures.length === 0 ? null : html`<div class="figures">${figures}</div>`}
${table === undefined ? null : renderTable(table)}
${tables.map(renderTable)}
${code === undefined ? null : html`<pre>${code}</pre>`}
</section>`;
}

function renderTable({ caption, columns, rows }: ReportTable): Html {
  return html`<div class="scroll"><table>${caption === undefined ? null : html`<caption>${caption}</caption>`}<thead><tr>${columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

const STYLE = `:root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--ink:#16202c;--soft:#5b6876;--line:#dde2e8;--c0:#1c6fd1;--c1:#c2410c;--c2:#7c3aed;--good:#15803d;--open:#a16207;--bad:#b91c1c}
@media (prefers-color-scheme:dark){:root{--bg:#0e141b;--card:#161e28;--ink:#e6ebf1;--soft:#9aa7b5;--line:#2a3542;--c0:#5aa2f2;--c1:#fb923c;--c2:#c4a5fd;--good:#4ade80;--open:#facc15;--bad:#f87171}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1060px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;margin:0}.subtitle{color:var(--soft);margin:4px 0 20px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 20px;margin:14px 0}
section.good{border-left:4px solid var(--good)}section.bad{border-left:4px solid var(--bad)}section.open{border-left:4px solid var(--open)}.pass{color:var(--good);font-weight:600}.fail{color:var(--bad);font-weight:600}.inconclusive{color:var(--open);font-weight:600}.soft{color:var(--soft)}.dim td{color:var(--soft)}caption{text-align:left;font-weight:600;padding:12px 0 4px}h2{font-size:17px;margin:0 0 8px}p{margin:6px 0}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:8px 18px;margin:8px 0}dt{color:var(--soft);font-size:12px}dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}td{max-width:420px;overflow-wrap:break-word}th{color:var(--soft);font-weight:600}
pre{background:var(--bg);border:1px solid var(--line);border-radius:6px;padding:10px;overflow-x:auto;font-size:12.5px}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:16px}figure{margin:0;max-width:480px}figcaption{color:var(--soft);font-size:12.5px}
svg{width:100%;height:auto;display:block}.grid{stroke:var(--line);stroke-width:1}.chance{stroke:var(--soft);stroke-dasharray:4 4}.tick,.axis{fill:var(--soft);font-size:10px}
.curve{fill:none;stroke-width:2}.curve.c0{stroke:var(--c0)}.curve.c1{stroke:var(--c1)}.curve.c2{stroke:var(--c2)}.bar.c0{fill:var(--c0)}.bar.c1{fill:var(--c1)}
.key::before{content:'';display:inline-block;width:9px;height:9px;border-radius:2px;margin:0 4px 0 8px}.key.c0::before{background:var(--c0)}.key.c1::before{background:var(--c1)}.key.c2::before{background:var(--c2)}
.dot{stroke:none;fill-opacity:.55}.dot.c0{fill:var(--c0)}.dot.c1{fill:var(--c1)}.mark{stroke:var(--ink);stroke-dasharray:2 3}.whisker{stroke:var(--ink);stroke-width:1.5}
@page{margin:14mm}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#16202c;--soft:#4b5764;--line:#ccd3da;--c0:#1c6fd1;--c1:#c2410c;--c2:#7c3aed;--good:#15803d;--open:#a16207;--bad:#b91c1c}
body{font-size:11pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}main{max-width:none;padding:0}section{border-radius:0}h2{break-after:avoid}tr,figure{break-inside:avoid}thead{display:table-header-group}.scroll{overflow:visible}table{font-size:9pt}}`;
