/** What a recording must not keep, wherever a client or an endpoint writes it. */
import { describe, expect, it } from 'vitest'
import type { Exchange } from '../../../src/entra/recording/har.ts'
import { Recorder } from '../../../src/entra/recording/recorder.ts'

const BASE = 'https://directory.quillfern.example/scim/v2'

/** The text of a cassette with one exchange. */
function recorded(exchange: Partial<Exchange>): string {
  const recorder = new Recorder(BASE)
  recorder.add({
    ...{ startedAt: '2026-11-27T10:00:00.000Z', durationMs: 1, method: 'GET', url: `${BASE}/Users` },
    ...{ status: 200, requestHeaders: {}, responseHeaders: {} },
    ...exchange,
  })
  return JSON.stringify(recorder.cassette('1.0.0'))
}

const body = (value: unknown): Partial<Exchange> => ({ responseBody: JSON.stringify(value) })
const refusal = (detail: string): Partial<Exchange> => ({
  status: 400,
  ...body({ schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '400', detail }),
})
const url = (path: string): Partial<Exchange> => ({ url: BASE + path })

describe('a recording keeps no secret of', () => {
  it.each<[string, string, Partial<Exchange>]>([
    ['a filter', 'Mirela', url('/Users?filter=displayName+eq+%22Mirela%22')],
    ['a filter in lower case', 'Mirela', url('/Users?filter=displayName%20eq%20%22O%5c%22Mirela%22')],
    ['a filter that is encoded twice', 'Mirela', url('/Users?filter=userName+eq+%2522Mirela%2522')],
    ['a filter without quotation marks', 'Mirela', url('/Users?filter=userName%20eq%20Mirela')],
    ['a filter that does not end', 'Mirela', url('/Users?filter=userName+eq+%22Mirela+and+x')],
    ['a filter in apostrophes', 'Mirela', url("/Users?filter=userName eq 'Mirela'")],
    ['another parameter', 's3cr3t', url('/Users?access_token=s3cr3t')],
    ['another parameter after a filter', 's3cr3t', url('/Users?filter=id+pr&key=s3cr3t')],
    ['an id in a path', 'Mirela', url('/Users/Mirela%40quillfern.example')],
    ['a path of no endpoint', 'Mirela', url('/Mirela')],
    ['a path beside the Tenant URL', 'Mirela', { url: `${BASE}Mirela/Mirela` }],
    ['a value path', 'Mirela', body({ Operations: [{ op: 'remove', path: 'emails[value eq "Mirela"]' }] })],
    ['the name of an attribute', 'Mirela', body({ 'emails[value eq "Mirela"].type': 'work' })],
    ['a name that is not an attribute', 'Mirela', body({ 'Mirela@quillfern.example': true })],
    ['an attribute like one of the protocol', 'Mirela', body({ status: 'Mirela is on leave', op: 'Mirela' })],
    ['a version', 'Mirela', body({ version: 'changed by Mirela' })],
    ['a detail that is not of an error', 'mirela', body({ userName: 'x', detail: 'mirela is on leave' })],
    ['a number', '4711', body({ userName: 'x', employeeNumber: 4711 })],
    ['an error', 'Mirela', refusal('the user Mirela exists')],
    ['an error that quotes', 'mirela', refusal('"mirela" exists')],
    ['an error with an address', 'mirela', refusal('mirela@quillfern.example exists')],
    ['an error in base64', 'TWlyZWxh', refusal('cannot decode TWlyZWxh')],
    ['an error that is encoded', 'irela', refusal('/Users?filter=%22Mirela%22 is not a filter')],
    ['an error with a token', 's3cr3t', refusal('the token s3cr3t-of-the-job is not valid')],
    ['a value like a time zone', 'Mirela', body({ nickName: 'Mirela/Osterholt' })],
    ['a request to a discovery endpoint', 'Mirela', { ...url('/Schemas'), requestBody: '{"name":"Mirela"}' }],
    [
      'an address of a discovery endpoint',
      'quillfern',
      { ...url('/Schemas'), ...body({ meta: { location: 'http://in.quillfern.example/Schemas' } }) },
    ],
    ['a header', 'quillfern', { responseHeaders: { location: 'https://x.quillfern.example/1' } }],
  ])('%s', (_, secret, exchange) => {
    expect(recorded(exchange)).not.toContain(secret)
  })
})

describe('a recording keeps', () => {
  it.each<[string, string, Partial<Exchange>]>([
    ['what a filter compares', 'displayName+eq+%22', url('/Users?filter=displayName+eq+%22Mirela%22')],
    ['values that are not text', 'active+eq+true', url('/Users?filter=active+eq+true')],
    ['pages', '?startIndex=1&count=2', url('/Users?startIndex=1&count=2')],
    ['attributes', 'excludedAttributes=members', url('/Groups?excludedAttributes=members')],
    ['counts', '\\"totalResults\\":4711', body({ totalResults: 4711, Resources: [] })],
    ['the words of an error', 'The attribute is required', refusal('The attribute is required.')],
    [
      'the schemas of the endpoint',
      'Work address',
      { ...url('/Schemas'), ...body({ description: 'Work address' }) },
    ],
  ])('%s', (_, text, exchange) => {
    expect(recorded(exchange)).toContain(text)
  })
})
