/** The statistics and the options of `npm run bench`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { oneModule } from '../bench/cold-start/variants.ts'
import { type Exchange, httpRequest, isRight } from '../bench/load/client.ts'
import { quantile, ratiosOf, spreadOf } from '../bench/load/statistics.ts'
import { hostNamed, positive, requireLocal, wholeFrom } from '../bench/options.ts'
import { PACKAGES } from '../bench/peers/packages.ts'
import { comparisonTable, type Result } from '../bench/peers/report.ts'
import { figure, markdownTable } from '../bench/table.ts'

describe('statistics', () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 2, 3], 0.5, 2.5],
    [[1, 2, 3, 4, 5], 1, 5],
    [[7], 0.99, 7],
  ])('of %j the quantile %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected)
  })

  it('is NaN without values', () => {
    expect(spreadOf([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN })
  })

  it('divides each measurement by the other one of the same round', () => {
    expect(ratiosOf([10, 40], [20, 40])).toEqual([0.5, 1])
  })
})

describe('a response is correct', () => {
  const exchange: Exchange = { request: '', status: 200, holds: ['"id":"1"', '"totalResults":1'] }

  it.each([
    ['HTTP/1.1 200 OK\r\n\r\n{"totalResults":1,"id":"1"}', true],
    ['HTTP/1.1 200 OK\r\n\r\n{"totalResults":1,"id":"2"}', false],
    ['HTTP/1.1 404 Not Found\r\n\r\n{"totalResults":1,"id":"1"}', false],
  ])('%j: %s', (answer, expected) => {
    expect(isRight(answer, exchange)).toBe(expected)
  })

  it('if one of the given statuses, the texts and the check are true of its chunks together', () => {
    const exchange = { request: '', status: [200, 204], holds: ['"userName":"anna"'] }
    const chunked =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{"userNam\r\n9\r\ne":"anna"}\r\n0\r\n\r\n'
    expect(isRight(chunked, exchange)).toBe(true)
    expect(isRight(chunked, { ...exchange, status: 204 })).toBe(false)
    expect(isRight(chunked, { ...exchange, check: (answer) => answer.includes('otto') })).toBe(false)
  })

  it('is requested with the length of the body in bytes', () => {
    expect(httpRequest('POST', '/Users', { Authorization: 'Bearer t' }, '"ä"')).toBe(
      'POST /Users HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer t\r\nContent-Length: 4\r\n\r\n"ä"',
    )
  })
})

describe('options', () => {
  it.each(['0', '-1', '1.5', 'ten', ''])('rejects %j rounds', (text) => {
    expect(() => wholeFrom(1, 'rounds', text)).toThrow(
      `--rounds must be a whole number from 1, got "${text}"`,
    )
  })

  it.each(['0', '-1', 'Infinity', 'a'])('rejects %j seconds', (text) => {
    expect(() => positive('seconds', text)).toThrow('--seconds must be a number above 0')
  })

  it('accepts host names in any case', () => {
    expect(hostNamed(' deno')).toBe('Deno')
    expect(() => hostNamed('bun')).toThrow(
      'a host must be one of workerd, Deno, Node.js, wrangler dev, got "bun"',
    )
  })

  it.each<[string, boolean, string | undefined]>([
    ['http://127.0.0.1:8787/scim/v2', false, undefined],
    ['http://[::1]:8787/scim/v2', false, undefined],
    ['https://scim.example/scim/v2', true, 'scim.example'],
  ])('allows a load on %s, remote %s, confirmed %s', (url, remote, confirmed) => {
    expect(() => requireLocal(url, remote, confirmed)).not.toThrow()
  })

  it.each<[string, boolean, string | undefined]>([
    ['https://scim.example/scim/v2', false, undefined],
    ['https://scim.example/scim/v2', true, undefined],
    ['https://scim.example/scim/v2', false, 'scim.example'],
    ['https://localhost.example/scim/v2', true, 'localhost'],
  ])('rejects a load on %s, remote %s, confirmed %s', (url, remote, confirmed) => {
    expect(() => requireLocal(url, remote, confirmed)).toThrow('is not this machine; nothing was sent')
  })
})

describe('tables', () => {
  it('are Markdown tables with aligned columns', () => {
    expect(markdownTable(['what', 'n'], [['reads', '1']])).toBe(
      '| what  | n   |\n|-------|-----|\n| reads | 1   |',
    )
  })

  it.each([
    [1234.5, '1235'],
    [12.345, '12.3'],
    [0.7, '0.70'],
    [Number.NaN, '—'],
  ])('write %d as %s', (value, text) => {
    expect(figure(value)).toBe(text)
  })
})

describe('the comparison with other servers', () => {
  const result = (name: string, perSecond: number, more: Partial<Result> = {}): Result => {
    const isOwn = name === 'Deno'
    return { name, isOwn, isDurable: true, perSecond: [perSecond], wrong: 0, error: undefined, ...more }
  }
  const lineOf = (...results: readonly Result[]) =>
    comparisonTable([{ query: 'get', results }], 1, 100)
      .split('\n')
      .find((line) => line.startsWith('| get'))

  it('divides by the fastest server that keeps what it has confirmed', () => {
    const inMemory = result('memory', 1_000, { isDurable: false })
    expect(lineOf(result('Deno', 300), result('slow', 50), result('fast', 100), inMemory)).toMatch(
      /\| fast +\| 3\.00 \(3\.00–3\.00\) +\| ✓/,
    )
  })

  it('does not compare with wrong answers, and shows them', () => {
    const wrong = result('fast', 1_000, { error: { kind: 'wrong answer' } })
    expect(lineOf(result('Deno', 300), wrong, result('slow', 200))).toMatch(
      /\| wrong answer \| 200 +\| slow +\| 1\.50 \(1\.50–1\.50\) +\| ✗/,
    )
  })

  it('installs nothing of them as a dependency of this project', () => {
    const lockfile = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8')
    for (const name of Object.keys(PACKAGES)) expect(lockfile).not.toContain(`"node_modules/${name}"`)
  })
})

describe('the Worker as one module', () => {
  it('loads nothing later', async () => {
    expect(readFileSync(await oneModule(), 'utf8')).not.toMatch(/\bimport\(/)
  })
})
