/**
 * One HTML file for people: verdict, causes, and each step with its requests and responses. It needs no script, no other
 * file and no network, and follows the light or dark scheme of the browser. Pure.
 */
import { GRADES, type Grade } from '../grade.ts'
import { escapeMarkup } from './escape.ts'
import { exchangeText } from './exchange-text.ts'
import { STYLE } from './html-style.ts'
import {
  countOf,
  isFailure,
  type Report,
  type ReportCause,
  type ReportExchange,
  type ReportPart,
  type ReportStep,
  stepsOf,
} from './report.ts'

const MAX_BODY_LENGTH = 10_000

export function htmlReport(report: Report): string {
  const { title, causes, parts } = report
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${head(report)}
${causes.length === 0 ? '' : `<section><h2>Findings</h2>${causes.map(causeCard).join('')}</section>`}
${parts.map(partSection).join('\n')}
</main>
</body>
</html>
`
}

function head(report: Report): string {
  const { title, endpoint, startedAt, durationMs, verdict } = report
  const started = new Date(startedAt).toISOString()
  const counts = GRADES.filter((grade) => countOf(stepsOf(report), grade) > 0).map(
    (grade) => `<li>${badge(grade)} ${countOf(stepsOf(report), grade)}</li>`,
  )
  return `<header>
<h1>${escapeMarkup(title)}</h1>
<p class="verdict ${verdict.grade}">${escapeMarkup(verdict.text)}</p>
<dl>
<dt>Endpoint</dt><dd><code>${escapeMarkup(endpoint)}</code></dd>
<dt>Started</dt><dd><time datetime="${started}">${started.slice(0, 19).replace('T', ' ')} UTC</time>, took ${duration(durationMs)}</dd>
</dl>
<ul class="counts">${counts.join('')}</ul>
</header>`
}

function causeCard({ grade, message, consequence, source, steps }: ReportCause): string {
  const rows = [
    ...(consequence === undefined ? [] : [row('Effect', escapeMarkup(consequence))]),
    ...(source === undefined ? [] : [row('Source', linked(source))]),
    row(
      'Seen in',
      `<ul class="steps">${steps.map((step) => `<li>${escapeMarkup(step)}</li>`).join('')}</ul>`,
    ),
  ]
  return `<article class="cause ${grade}"><h3>${badge(grade)} ${escapeMarkup(message)}</h3><dl>${rows.join('')}</dl></article>`
}

function partSection({ name, steps }: ReportPart): string {
  return `<section><h2>${escapeMarkup(name)}</h2>${steps.map(stepDetails).join('')}</section>`
}

/** A closed step; its line has the grade, the name and the duration. */
function stepDetails(step: ReportStep): string {
  const { name, grade, message, consequence, source, durationMs, exchanges } = step
  const rows = [
    row(isFailure(step) ? 'Found' : 'Result', escapeMarkup(message)),
    ...(consequence === undefined ? [] : [row('Effect', escapeMarkup(consequence))]),
    ...(source === undefined ? [] : [row('Source', linked(source))]),
  ]
  const summary = `<summary>${badge(grade)} <span class="name">${escapeMarkup(name)}</span> <span class="time">${duration(durationMs)}</span></summary>`
  return `<details>${summary}<dl>${rows.join('')}</dl>${exchanges.map(exchangeBlock).join('')}</details>`
}

function exchangeBlock(exchange: ReportExchange): string {
  const { request, requestBody, response, responseBody } = exchangeText(exchange, MAX_BODY_LENGTH)
  return `<div class="exchange">${half('Request', request, requestBody)}${half('Response', response, responseBody)}</div>`
}

function half(label: string, line: string, body: string): string {
  const pre = body === '' ? '' : `<pre>${escapeMarkup(body)}</pre>`
  return `<div><h4>${label}</h4><code>${escapeMarkup(line)}</code>${pre}</div>`
}

function row(name: string, markup: string): string {
  return `<dt>${name}</dt><dd>${markup}</dd>`
}

/** The text with its http addresses as links. Only the report's own sources are linked, never text of a server. */
function linked(source: string): string {
  return escapeMarkup(source).replace(
    /https?:\/\/[^\s,;)]+/g,
    (url) => `<a href="${url}" rel="noreferrer">${url}</a>`,
  )
}

function badge(grade: Grade): string {
  return `<span class="badge ${grade}">${grade}</span>`
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
