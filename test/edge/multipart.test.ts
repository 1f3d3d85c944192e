import { describe, expect, it } from 'vitest'
import { openFormFile } from '../../src/edge/multipart.ts'
import { ScimError } from '../../src/scim/error.ts'

const TYPE = 'multipart/form-data; boundary=----form7'

/** A form as a browser sends it. */
function form(...parts: readonly (readonly [head: string, body: string])[]): string {
  const all = parts.map(
    ([head, body]) => `------form7\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`,
  )
  return `${all.join('')}------form7--\r\n`
}

const file = (body: string) => ['name="file"; filename="a.jsonl"', body] as const

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0))
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The file in a form; undefined if there is none. */
async function read(text: string, size = 7, type = TYPE): Promise<string | undefined> {
  const bytes = await openFormFile(chunksOf(text, size), type)
  if (bytes === undefined) return undefined
  let found = ''
  for await (const chunk of bytes) found += String.fromCharCode(...chunk)
  return found
}

describe('openFormFile', () => {
  it.each([
    ['a file', 'one\ntwo\n'],
    ['an empty file', ''],
    ['line ends and dashes like those of the boundary', '\r\n--\r\n----form\r\n------form\r\r\n-'],
    ['bytes that are not text', '\u0000\u00ff\r\n\u0080'],
  ])('reads %s, in chunks of any size', async (_, body) => {
    for (const size of [1, 2, 3, 5, 8, 13, 40, 4_000]) {
      expect(await read(form(file(body)), size)).toBe(body)
      expect(await read(form(['name="other"', 'x\r\ny'], file(body), ['name="last"', '']), size)).toBe(body)
    }
  })

  it('reads a file of 1 MB in the chunks in which it arrives', async () => {
    const body = 'abcdefgh\r\n'.repeat(100_000)
    const bytes = await openFormFile(chunksOf(form(file(body)), 65_536), TYPE)
    let [length, most] = [0, 0]
    for await (const chunk of bytes ?? []) {
      length += chunk.length
      most = Math.max(most, chunk.length)
    }
    expect([length, most < 70_000]).toEqual([body.length, true])
  })

  it('finds no file in a form without one, or where none was chosen', async () => {
    expect(await read(form(['name="a"', 'b']))).toBeUndefined()
    expect(await read(form(['name="file"; filename=""', '']))).toBeUndefined()
  })

  it('takes a boundary in quotation marks', async () => {
    expect(await read(form(file('x')), 7, 'multipart/form-data; boundary="----form7"')).toBe('x')
  })

  it.each([
    ['a form that is cut', form(file('abc')).slice(0, -20), TYPE],
    ['a form that is cut in its head', form(file('abc')).slice(0, 40), TYPE],
    ['another boundary', form(file('abc')), 'multipart/form-data; boundary=other'],
    ['no boundary', form(file('abc')), 'multipart/form-data'],
    ['an empty body', '', TYPE],
    ['a head without an end', `------form7\r\n${'a'.repeat(20_000)}`, TYPE],
    ['a field before the file that is too long', form(['name="a"', 'b'.repeat(70_000)], file('x')), TYPE],
    ['very many parts without a body', `${'------form7\r\n\r\n\r\n'.repeat(10_000)}${form(file('x'))}`, TYPE],
    [
      'very many short parts',
      form(...Array<[string, string]>(2_000).fill(['name="a"', '']), file('x')),
      TYPE,
    ],
  ])('refuses %s', async (_, text, type) => {
    const error = await read(text, 64, type).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ScimError)
    expect((error as ScimError).status).toBe(400)
  })
})
