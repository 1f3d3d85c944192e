/** The reports of one run in each format: what they show, that nothing of a server is markup, and that no secret is in them. */
import { Validator } from '@cfworker/json-schema'
import { describe, expect, it } from 'vitest'
import { REPORT_FORMATS, renderReport } from '../../../src/entra/report/formats.ts'
import type { Report, ReportStep } from '../../../src/entra/report/report.ts'

const SECRET = 'correct horse/battery+staple"é'
const HOSTILE = `</pre></details><script>alert(1)</script>"'\u001b[2J\u009d\u202egnp.exe\u2028\r\n](http://x) | \`${SECRET}`
const OBEYED = /(?!\r?\n)[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u

const good: ReportStep = {
  ...{ name: 'create a user', grade: 'success', message: 'created', durationMs: 12 },
  exchanges: [
    {
      request: { method: 'POST', path: '/Users?x=1', body: { userName: 'ada' } },
      url: 'https://scim.test.example/scim/v2/Users?x=1',
      answer: { kind: 'answer', status: 201, contentType: 'application/scim+json', text: '{"id":"1"}' },
      ...{ startedAt: Date.UTC(2026, 4, 4, 8), durationMs: 12 },
    },
  ],
}
const bad: ReportStep = {
  ...{ name: `find ${HOSTILE}`, grade: 'error', message: HOSTILE, durationMs: 1500 },
  ...{
    consequence: 'Entra creates the user again',
    source: 'RFC 7644 §3.4.2, https://www.rfc-editor.org/rfc/rfc7644',
  },
  exchanges: [
    {
      request: {
        method: 'POST',
        path: 'https://scim.test.example/oauth/token',
        body: { client_secret: SECRET },
      },
      url: 'https://scim.test.example/oauth/token',
      answer: { kind: 'answer', status: 400, contentType: HOSTILE, text: HOSTILE },
      ...{ startedAt: Date.UTC(2026, 4, 4, 8), durationMs: 3 },
    },
    {
      request: { method: 'GET', path: '/Users/1' },
      url: 'https://scim.test.example/scim/v2/Users/1',
      answer: { kind: 'none', reason: 'timeout', message: 'No response within 60 seconds' },
      ...{ startedAt: Date.UTC(2026, 4, 4, 8), durationMs: 60_000 },
    },
  ],
}
const skipped: ReportStep = {
  ...{ name: 'read it', grade: 'skipped', message: 'requires a user', durationMs: 0, exchanges: [] },
}

const REPORT: Report = {
  ...{ title: 'Check', endpoint: 'https://scim.test.example/scim/v2', version: '0.1.0' },
  ...{ startedAt: Date.UTC(2026, 4, 4, 8), durationMs: 61_512 },
  verdict: { grade: 'error', text: 'Verdict: error (1 success, 1 error, 1 skipped)' },
  causes: [
    { grade: 'error', message: HOSTILE, consequence: 'Entra creates the user again', steps: [bad.name] },
  ],
  parts: [
    { name: 'Users', steps: [good, bad] },
    { name: 'Groups', steps: [skipped] },
  ],
}

const render = (format: (typeof REPORT_FORMATS)[number], report = REPORT) =>
  renderReport(report, format, [SECRET])

/** The names of the elements of a markup text in which every element is closed; the names of open ones if not. */
function elementsOf(markup: string, empty: readonly string[] = []): string[] {
  const names: string[] = []
  const open: string[] = []
  for (const [, end, name = '', rest] of markup.matchAll(/<(\/?)([a-z][\w-]*)([^<>]*)>/gi)) {
    if (end === '/') expect(open.pop()).toBe(name)
    else {
      names.push(name)
      if (!rest?.endsWith('/') && !empty.includes(name)) open.push(name)
    }
  }
  expect(open).toEqual([])
  return names
}

describe('every report', () => {
  it.for(REPORT_FORMATS)('%s has no secret and no character that changes how text is shown', (format) => {
    const text = render(format)
    expect(text).not.toMatch(/battery|staple/)
    expect(text).not.toMatch(OBEYED)
    expect(text.length).toBeGreaterThan(500)
  })
})

describe('the HTML report', () => {
  it('has no element from a server, no script, and loads nothing', () => {
    const html = render('html')
    const names = new Set(elementsOf(html, ['meta', 'br']))
    expect(names).not.toContain('script')
    expect(html).not.toMatch(/\ssrc=|<link|url\(|@import|\son\w+=/)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\\u001b[2J')
  })

  it('shows causes before the steps, and each step with its requests', () => {
    const html = render('html')
    const order = [
      'Verdict: error',
      '<h2>Findings</h2>',
      '<h2>Users</h2>',
      'create a user',
      '<h2>Groups</h2>',
    ]
    expect(
      order.map((part) => html.indexOf(part)).every((index, at, all) => index > (all[at - 1] ?? 0)),
    ).toBe(true)
    expect(html).toContain(
      '<code>POST /Users?x=1</code><pre>{\n  &quot;userName&quot;: &quot;ada&quot;\n}</pre>',
    )
    expect(html).toContain('<code>no response: No response within 60 seconds</code>')
    expect(html).toContain('<a href="https://www.rfc-editor.org/rfc/rfc7644" rel="noreferrer">')
    expect(html).toContain('Entra creates the user again')
  })

  it('cuts long bodies', () => {
    const [exchange] = good.exchanges
    if (exchange === undefined) throw new Error('no exchange')
    const answer = { kind: 'answer', status: 200, contentType: '', text: 'x'.repeat(1_000_000) } as const
    const steps = [{ ...good, exchanges: [{ ...exchange, answer }] }]
    const html = render('html', { ...REPORT, parts: [{ name: 'Users', steps }] })
    expect(html.length).toBeLessThan(40_000)
    expect(html).toContain('… (990000 more characters)')
  })
})

describe('the JUnit report', () => {
  it('has suites, cases, failures and skipped cases with their counts and times', () => {
    const xml = render('junit')
    expect(elementsOf(xml)).toEqual([
      ...['testsuites', 'testsuite', 'testcase', 'testcase', 'failure'],
      ...['testsuite', 'testcase', 'skipped'],
    ])
    expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1" time="61.512">')
    expect(xml).toContain(
      '<testsuite name="Users" tests="2" failures="1" errors="0" skipped="0" time="1.512" timestamp="2026-05-04T08:00:00.000Z">',
    )
    expect(xml).toContain('<testcase classname="entra.Users" name="create a user" time="0.012"/>')
    expect(xml).toContain('<skipped message="requires a user"/>')
  })
})

describe('the HAR report', () => {
  const text = { type: 'string' }
  const number = { type: 'number', minimum: -1 }
  const dateTime = { type: 'string', format: 'date-time' }
  const object = (required: object, optional: object = {}) => ({
    ...{ type: 'object', required: Object.keys(required), properties: { ...required, ...optional } },
    additionalProperties: false,
  })
  const list = (items: object) => ({ type: 'array', items })
  const pairs = list(object({ name: text, value: text }))
  const message = {
    httpVersion: text,
    cookies: list(object({})),
    headers: pairs,
    headersSize: number,
    bodySize: number,
  }
  /** The required and optional parts of the specification that the report uses. */
  const schema = object({
    log: object({
      version: { const: '1.2' },
      creator: object({ name: text, version: text }),
      pages: list(object({ startedDateTime: dateTime, id: text, title: text, pageTimings: object({}) })),
      entries: list(
        object(
          {
            startedDateTime: dateTime,
            time: number,
            request: object(
              { method: text, url: { type: 'string', format: 'uri' }, queryString: pairs, ...message },
              { postData: object({ mimeType: text, text }) },
            ),
            response: object({
              ...{ status: { type: 'integer' }, statusText: text, redirectURL: text, ...message },
              content: object({ size: number, mimeType: text }, { text }),
            }),
            cache: object({}),
            timings: object({ send: number, wait: number, receive: number }),
          },
          { pageref: text, comment: text },
        ),
      ),
    }),
  })

  it('is an HTTP Archive 1.2', () => {
    const har = JSON.parse(render('har'))
    const { errors } = new Validator(schema as object, '2020-12', false).validate(har)
    expect(errors).toEqual([])
    const { pages, entries } = har.log
    expect(entries.map(({ pageref }: { pageref: string }) => pageref)).toEqual(['step_1', 'step_2', 'step_2'])
    expect(pages).toHaveLength(2)
    expect(entries[0].request.queryString).toEqual([{ name: 'x', value: '1' }])
    expect(entries[0].request.headers).toContainEqual({ name: 'Authorization', value: 'Bearer ***' })
    expect(entries[2]).toMatchObject({ response: { status: 0 }, comment: 'No response within 60 seconds' })
  })
})

describe('the Markdown report', () => {
  it('has the verdict, a table of counts, the causes and the failed steps, and no markup of a server', () => {
    const markdown = render('md')
    expect(markdown).toContain('## Check\n\n**Verdict: error \\(1 success, 1 error, 1 skipped\\)**\n')
    expect(markdown).toContain(
      '| part | success | error | skipped |\n|---|---:|---:|---:|\n| Users | 1 | 1 | 0 |\n',
    )
    expect(markdown).toContain('  Effect: Entra creates the user again  \n')
    expect(new Set(elementsOf(markdown))).toEqual(new Set(['details', 'summary', 'pre']))
    // Inside of these elements, nothing is Markdown.
    const outside = markdown.replace(/<(pre|summary)>[^<]*<\/\1>/g, '')
    expect(outside).toContain('\\]\\(http://x\\)')
    expect(outside).not.toMatch(/(?<!\\)\]\(http/)
  })

  it('stays below the 1 MiB of a job summary', () => {
    const steps = Array.from({ length: 2000 }, (_, index) => ({ ...bad, name: `step ${index}` }))
    const causes = steps.map(
      ({ name }) => ({ grade: 'error', message: 'x'.repeat(5000), steps: [name] }) as const,
    )
    const markdown = render('md', { ...REPORT, causes, parts: [{ name: 'Users', steps }] })
    expect(Buffer.byteLength(markdown)).toBeLessThan(1024 * 1024)
    expect(markdown).toContain('… and 1900 more failed steps.')
  })
})

describe('the JSON report', () => {
  it('has the whole report', () => {
    const parsed = JSON.parse(render('json'))
    expect(parsed).toMatchObject({ title: 'Check', verdict: REPORT.verdict, startedAt: REPORT.startedAt })
    expect(parsed.parts[0].steps[0]).toEqual(good)
  })
})
