/**
 * Large bodies that are designed to be as expensive as possible. `/x` in a path stands for an existing user.
 */
import { GROUP, PATCH_OP, USER } from '../../support/urns.ts'

const user = (text: string) => `{"schemas":["${USER}"],"userName":"${crypto.randomUUID()}",${text}}`
/** A PatchOp message with the given number of operations. */
export const operations = (count: number, operation: (i: number) => string) =>
  `{"schemas":["${PATCH_OP}"],"Operations":[${Array.from({ length: count }, (_, i) => operation(i)).join()}]}`
const repeat = (count: number, one: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => one(i)).join()

/** The worst known body of each kind. `size` is the approximate number of bytes. */
export const LARGE_BODIES: Readonly<
  Record<string, (size: number) => readonly [method: string, path: string, body: string]>
> = {
  'a long text': (size) => ['POST', '/Users', user(`"title":"${'x'.repeat(size)}"`)],
  'a long userName of combining marks': (size) => [
    'POST',
    '/Users',
    `{"schemas":["${USER}"],"userName":"${'\u0301\u0316'.repeat(size / 4)}"}`,
  ],
  'nested arrays': (size) => ['POST', '/Users', `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`],
  'nested objects': (size) => [
    'POST',
    '/Users',
    user(`"name":${'{"a":'.repeat(size / 6)}1${'}'.repeat(size / 6)}`),
  ],
  'unknown attributes': (size) => ['POST', '/Users', user(repeat(size / 16, (i) => `"attr${i}":1`))],
  'one key many times': (size) => ['POST', '/Users', user(repeat(size / 12, (i) => `"title":"${i}"`))],
  'e-mail addresses': (size) => [
    'POST',
    '/Users',
    user(`"emails":[${repeat(size / 30, (i) => `{"value":"${i}@x.example"}`)}]`),
  ],
  'equal e-mail addresses': (size) => [
    'POST',
    '/Users',
    user(`"emails":[${repeat(size / 30, () => '{"value":"a@x.example"}')}]`),
  ],
  schemas: (size) => [
    'POST',
    '/Users',
    `{"schemas":["${USER}",${repeat(size / 12, (i) => `"urn:x:${i}"`)}],"userName":"u"}`,
  ],
  'unknown members': (size) => [
    'POST',
    '/Groups',
    `{"schemas":["${GROUP}"],"displayName":"g","members":[${repeat(size / 24, (i) => `{"value":"nobody-${i}"}`)}]}`,
  ],
  operations: (size) => [
    'PATCH',
    '/Users/x',
    operations(size / 50, (i) => `{"op":"replace","path":"title","value":"${i}"}`),
  ],
  'operations with value paths': (size) => [
    'PATCH',
    '/Users/x',
    operations(size / 90, (i) => `{"op":"add","path":"emails[type eq \\"t${i}\\"].value","value":"${i}"}`),
  ],
  'a long path': (size) => [
    'PATCH',
    '/Users/x',
    operations(1, () => `{"op":"add","path":"${'a.'.repeat(size / 2)}","value":1}`),
  ],
  'a long filter': (size) => ['POST', '/Users/.search', JSON.stringify({ filter: `${'('.repeat(size)}` })],
  'a filter of many terms': (size) => [
    'POST',
    '/Users/.search',
    JSON.stringify({
      filter: Array(Math.floor(size / 20))
        .fill('userName eq "a"')
        .join(' or '),
    }),
  ],
  'a filter with a long text': (size) => [
    'POST',
    '/Users/.search',
    JSON.stringify({ filter: `userName co "${'x'.repeat(size)}"` }),
  ],
  'attributes to return': (size) => [
    'POST',
    '/Users/.search',
    JSON.stringify({ attributes: Array.from({ length: size / 10 }, (_, i) => `a${i}`) }),
  ],
}
