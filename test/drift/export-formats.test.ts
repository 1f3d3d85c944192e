/** The formats of an export, and what is wrong with a file that cannot be compared. */
import { describe, expect, it } from 'vitest'
import { MAX_RECORD_CHARACTERS } from '../../src/drift/csv-records.ts'
import { exportedIn } from '../../src/drift/export-formats.ts'
import { textOf } from '../../src/drift/text.ts'

const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'

/** Reads a file that arrives in pieces of a few bytes. */
async function read(file: string | Uint8Array, group?: string, size = 3) {
  const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file
  async function* pieces() {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size)
  }
  const notes: string[] = []
  const found = []
  for await (const one of exportedIn(textOf(pieces()), group, { add: (note) => notes.push(note) }))
    found.push(one)
  return { found, notes }
}

describe('an export in CSV', () => {
  it('has users with their attributes, in quotes, with a remark in brackets, in any case', async () => {
    const { found, notes } = await read(
      '\uFEFF"User name [userPrincipalName] Required";displayName;accountEnabled;objectId;Colour\r\n' +
        'ada@x.example;"Ada; ""the first""\nÅ";True;1;red\r\n\r\nben@x.example;Ben;False;2;blue',
    )
    expect(found).toMatchObject([
      {
        type: 'User',
        line: 2,
        sourceId: '1',
        attributes: { userName: 'ada@x.example', displayName: 'Ada; "the first"\nÅ', active: true },
      },
      { line: 5, objectId: '2', attributes: { userName: 'ben@x.example', active: false } },
    ])
    expect(notes).toEqual(['columns that are not compared: Colour'])
  })

  it('has the members of a named group', async () => {
    const { found } = await read('id,userPrincipalName\n1,ada@x.example\n2,\n', 'Crew')
    expect(found).toEqual([
      expect.objectContaining({
        type: 'Group',
        attributes: { displayName: 'Crew' },
        members: [
          { id: '1', userName: 'ada@x.example' },
          { id: '2', userName: undefined },
        ],
      }),
    ])
  })
})

describe('an export in JSON', () => {
  it('is an answer of Microsoft Graph, in several pages', async () => {
    const page = (more: object, value: object[]) => JSON.stringify({ '@odata.context': 'c', ...more, value })
    const { found } = await read(
      `${page({ '@odata.nextLink': 'n' }, [{ id: '1', userPrincipalName: 'a}"\\' }])}\n` +
        page({}, [
          { '@odata.type': '#microsoft.graph.group', id: 'g', displayName: 'G', members: [{ id: '1' }] },
        ]),
    )
    expect(found).toMatchObject([
      { type: 'User', sourceId: '1', attributes: { userName: 'a}"\\' } },
      { type: 'Group', line: 2, members: [{ id: '1' }] },
    ])
  })

  it('is a directory file, without what is not assigned or is deleted', async () => {
    const { found } = await read(
      JSON.stringify(
        {
          users: [
            { id: '1', userPrincipalName: 'a', mailNickname: 'nick' },
            { id: '2', userPrincipalName: 'b', assigned: false },
            { id: '3', userPrincipalName: 'c', deletedDateTime: '2026-01-01T00:00:00Z' },
          ],
          groups: [{ id: 'g', displayName: 'G', members: ['1'] }],
        },
        null,
        2,
      ),
    )
    expect(found).toMatchObject([
      { externalIds: ['nick', '1'] },
      { members: [{ id: '1', userName: undefined }] },
    ])
    expect(found).toHaveLength(2)
  })

  it('is the answer of a SCIM server', async () => {
    const { found } = await read(
      JSON.stringify({
        schemas: [LIST],
        totalResults: 1,
        Resources: [{ schemas: [USER], id: 'x', externalId: 'e', userName: 'a', name: { givenName: 'A' } }],
      }),
    )
    expect(found).toMatchObject([
      {
        sourceId: 'x',
        externalIds: ['e'],
        attributes: { userName: 'a', 'name.givenName': 'A', active: true },
      },
    ])
  })
})

describe('a file that cannot be compared', () => {
  const header = 'userPrincipalName,displayName\n'
  it.for<[string, string | Uint8Array, RegExp, string?]>([
    ['is empty', ' \n', /^the file is empty$/],
    ['has no users', header, /^the file has no users/],
    ['is UTF-16', new Uint8Array([0xff, 0xfe, 0x61, 0]), /^the file is UTF-16; save it as UTF-8$/],
    ['is Latin-1', new Uint8Array([0x61, 0xe9, 0x0a, 0x61, 0x61]), /^the file is not UTF-8/],
    [
      'has other columns',
      'name,mail\na,b\n',
      /must name the column "userPrincipalName", found "name", "mail"/,
    ],
    ['ends in a quoted cell', `${header}a,"b\n`, /^the file is cut short: in line 2 a quote is not closed$/],
    [
      'has a row of one cell',
      'userPrincipalName,a,b\nx,1,2\ny',
      /^line 3 has 1 cells, and the first line has 3$/,
    ],
    ['has a long row', `${header}${'x'.repeat(MAX_RECORD_CHARACTERS + 1)}\n`, /^line 2 has more than 20000/],
    ['ends in an object', '{"value":[{"userPrincipalName":"a"', /^the file is cut short: line 1/],
    ['ends in a list', '{"users":[{"id":"1","userPrincipalName":"a"}', /^the file is cut short/],
    ['is not JSON', '{"users":[{"id":1,,}]}', /^line 1: the file is not valid JSON$/],
    ['is not closed properly', '{"users":[}', /^line 1: the file is not valid JSON$/],
    ['has another list', '{"people":[{"id":"1"}]}', /^line 1: the list "people" is not known/],
    ['has no list', '{}', /^the file has no users and no groups$/],
    [
      'has a page of more',
      '{"@odata.context":"c","@odata.nextLink":"n","value":[{"userPrincipalName":"a"}]}',
      /^the file is incomplete: "@odata.nextLink"/,
    ],
    [
      'has a part of a SCIM list',
      '{"totalResults":5,"Resources":[{"userName":"a","schemas":[]}]}',
      /^the file is incomplete: it has 1 of 5 resources/,
    ],
    ['has a user without a name', '{"users":[{"id":"1"}]}', /^line 1: "userPrincipalName" must be a text/],
    [
      'has groups first',
      '{"groups":[{"id":"g","displayName":"G"}],"users":[{"userPrincipalName":"a"}]}',
      /a user follows a group/,
    ],
    ['is JSON with a group', '{"users":[]}', /^"group" names the group of a CSV file/, 'Crew'],
  ])('%s', async ([, file, message, group]) => {
    await expect(read(file, group)).rejects.toThrow(message)
    await expect(read(file, group, 100_000)).rejects.toThrow(message)
  })
})
