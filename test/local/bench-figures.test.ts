/** The statistics and the options of `npm run bench`. */
import { statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bundle } from '../bench/cold-start/variants.ts'
import { type Exchange, httpRequest, isRight } from '../bench/load/client.ts'
import { quantile, ratiosOf, spreadOf } from '../bench/load/statistics.ts'
import { hostNamed, positive, requireLocal, wholeFrom } from '../bench/options.ts'
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

describe('the module without administration', () => {
  it('is built from the imports of app.ts, and is smaller', async () => {
    const [whole, part] = await Promise.all([bundle(true), bundle(false)])
    expect(statSync(part).size).toBeLessThan(statSync(whole).size)
  })
})
