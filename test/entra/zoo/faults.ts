/**
 * Servers with one fault each: what differs from the right server, and what `check` says. `at` is the first step that
 * shows the fault, `says` a part of its message, `entra` a part of what Entra does.
 */

import { type Json, set } from './paths.ts'
import {
  type Answer,
  type Behaviour,
  type Kind,
  listOf,
  membersOf,
  type Request,
  type Resource,
  RIGHT,
  scimError,
  TOKEN,
} from './server.ts'

export interface ZooFault {
  readonly fault: string
  readonly server: Partial<Behaviour>
  readonly grade: 'acceptable' | 'deviation' | 'error'
  readonly at: string
  readonly says: string
  readonly entra: string
  readonly options?: { readonly preset: 'cisco' }
}

/** A row: the fault, the grade, the step, the message, what Entra does, and in the next line the server. */
type Row = readonly [string, ZooFault['grade'], string, string, string, Partial<Behaviour>]

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const isRead = ({ method }: Request) => method === 'GET'
const isPatchOf = (kind: Kind) => (request: Request) =>
  request.method === 'PATCH' && request.kind === kind && request.token === TOKEN
const isOne = (kind: Kind) => (request: Request) =>
  request.kind === kind && request.method === 'GET' && request.id !== undefined
const isSearch = (kind: Kind) => (request: Request) => request.kind === kind && request.query.has('filter')
const isPost = (kind: Kind) => (request: Request) => request.method === 'POST' && request.kind === kind
const isDelete = (kind: Kind) => (request: Request) => request.method === 'DELETE' && request.kind === kind

/** Another answer before anything is done. */
const instead = (test: (request: Request) => boolean, answer: Answer): Partial<Behaviour> => ({
  before: (request) => (test(request) ? answer : undefined),
})

/** Another answer in place of the right one. */
const answered = (
  test: (request: Request, answer: Answer) => boolean,
  change: (answer: Answer, request: Request) => Answer,
): Partial<Behaviour> => ({
  answers: (answer, request) => (test(request, answer) ? change(answer, request) : answer),
})

/** Attributes that are not stored. */
const loses = (...names: string[]): Partial<Behaviour> => ({
  stores: (resource) =>
    Object.fromEntries(Object.entries(resource).filter(([name]) => !names.includes(name))) as Resource,
})

const withBody = (answer: Answer, change: (body: Json) => Json): Answer => ({
  ...answer,
  body: change(answer.body as Json),
})
const isActive = ({ active }: Resource) => active !== false
const listed = (answer: Answer, change: (list: Json) => Json): Answer =>
  Array.isArray((answer.body as Json | undefined)?.Resources) ? withBody(answer, change) : answer

const TEST_FAILS = 'Test connection fails'
const RESENT = 'sends the attribute again'
const WRONG = 'wrong data'
const MEMBERS = 'memberships are wrong'
const ANYBODY = 'Everybody who knows the URL'
const RETRY = 'Entra tries again'
const NO_LINK = 'cannot link the object'
const TWICE = 'makes a second'

const PROBE = 'query for a user that does not exist'
const STORED = 'every mapped attribute is returned'
const CREATE = 'create a user'

// biome-ignore format: one fault is one row, with its server in the same line or below it.
const ROWS: readonly Row[] = [
  // Access
  ['accepts any token', 'error', 'read users without a token', 'HTTP 200; expected 401', ANYBODY, { authorizes: () => true }],
  ['needs no token', 'error', 'read users without a token', 'HTTP 200', ANYBODY, { authorizes: (token) => token === undefined || token === TOKEN }],
  ['accepts every token but none', 'error', 'read users with a random token', 'HTTP 200', ANYBODY, { authorizes: (token) => token !== undefined }],
  ['compares only the start of the token', 'error', 'read users with a token whose last character is wrong', 'HTTP 200', ANYBODY,
    { authorizes: (token) => token?.startsWith(TOKEN.slice(0, -1)) === true }],
  ['does not check the token for groups', 'error', 'read groups with a random token', 'HTTP 200', ANYBODY,
    { authorizes: (token, { kind }) => kind === 'Groups' || token === TOKEN }],
  ['does not check the token when a user is created', 'error', 'create a user with a random token', 'HTTP 201', ANYBODY,
    { authorizes: (token, request) => isPost('Users')(request) || token === TOKEN }],
  ['does not check the token when a user is changed', 'error', 'change a user with a random token', 'HTTP 200; expected 401', ANYBODY,
    { authorizes: (token, { method }) => method === 'PATCH' || token === TOKEN }],
  ['does not check the token when a user is deleted', 'error', 'delete a user with a random token', 'HTTP 204; expected 401', ANYBODY,
    { authorizes: (token, request) => isDelete('Users')(request) || token === TOKEN }],
  ['answers a wrong token with 500', 'deviation', 'read users without a token', 'HTTP 500', 'not recognized',
    answered((_, { status }) => status === 401, () => ({ status: 500 }))],
  ['sends a wrong token to a page', 'deviation', 'read users without a token', 'HTTP 302', 'not recognized',
    answered((_, { status }) => status === 401, () => ({ status: 302 }))],
  ['answers a wrong token with 403', 'acceptable', 'read users without a token', 'HTTP 403', '',
    answered((_, { status }) => status === 401, (answer) => ({ ...answer, status: 403 }))],
  // Connection
  ['refuses the right token', 'error', PROBE, 'HTTP 401', TEST_FAILS, { authorizes: () => false }],
  ['has another path', 'error', PROBE, 'HTTP 404', TEST_FAILS, instead(() => true, { status: 404 })],
  ['redirects', 'error', PROBE, 'HTTP 301: redirects are not followed', TEST_FAILS, instead(() => true, { status: 301 })],
  ['fails', 'error', PROBE, 'HTTP 500: oops', TEST_FAILS, instead(() => true, scimError(500, 'oops'))],
  ['has a page of HTML', 'error', PROBE, 'the body is an HTML page', TEST_FAILS,
    instead(() => true, { status: 200, text: '<!doctype html>', type: 'text/html' })],
  ['cuts its answers', 'error', PROBE, 'the body is not complete JSON', TEST_FAILS,
    answered(isRead, ({ status, body }) => ({ status, text: JSON.stringify(body).slice(0, 20) }))],
  ['nests its answers deeply', 'error', PROBE, 'the body is nested more deeply than any resource', TEST_FAILS,
    answered(isRead, () => ({ status: 200, text: `{"Resources":${'['.repeat(9e4)}${']'.repeat(9e4)}}` }))],
  ['answers in UTF-16', 'error', PROBE, 'in the charset "utf-16"', TEST_FAILS,
    answered(isRead, () => ({ status: 200, text: '\u0000{', type: 'application/json; charset=UTF-16' }))],
  ['says another charset', 'deviation', PROBE, 'the charset is "iso-8859-1"', 'other clients',
    answered(() => true, (answer) => ({ ...answer, type: 'application/scim+json; charset=ISO-8859-1' }))],
  ['says application/json', 'acceptable', PROBE, 'the content type is "application/json"', '',
    answered(() => true, (answer) => ({ ...answer, type: 'application/json' }))],
  ['begins with a byte order mark', 'acceptable', PROBE, 'byte order mark', '',
    answered(isRead, ({ status, body }) => ({ status, text: `\uFEFF${JSON.stringify(body)}` }))],
  ['ignores the filter', 'error', PROBE, 'found 1 objects, expected 0', 'ignores the filter', { matches: () => true }],
  ['refuses filters', 'error', PROBE, 'HTTP 400: no filters', TEST_FAILS, instead(({ query }) => query.has('filter'), scimError(400, 'no filters'))],
  ['answers 404 for an empty list', 'error', PROBE, 'HTTP 404', TEST_FAILS,
    answered(isSearch('Users'), (answer) =>
      (answer.body as Json).totalResults === 0 ? scimError(404, 'none') : answer,
    )],
  ['answers null for an empty list', 'error', PROBE, 'JSON, but not an object', TEST_FAILS,
    answered(isSearch('Users'), () => ({ status: 200, text: 'null' }))],
  ['leaves out an empty list', 'acceptable', PROBE, '"Resources" is missing', '',
    answered(isRead, (answer) =>
      listed(answer, ({ Resources, ...list }) =>
        (Resources as Json[]).length === 0 ? list : { ...list, Resources },
      ),
    )],
  ['counts in text', 'deviation', PROBE, '"totalResults" is "0", expected 0', 'other clients',
    answered(isSearch('Users'), (answer) =>
      listed(answer, (list) => ({ ...list, totalResults: String(list.totalResults) })),
    )],
  ['leaves out the URN of a list', 'deviation', PROBE, 'the ListResponse URN is not in "schemas"', 'other clients',
    answered(isSearch('Users'), (answer) => listed(answer, ({ schemas: _, ...list }) => list))],
  ['has no groups', 'error', 'query for a group that does not exist', 'HTTP 404', TEST_FAILS,
    instead(({ kind }) => kind === 'Groups', scimError(404, 'no groups'))],
  // Creating
  ['returns no id', 'error', CREATE, 'the resource has no "id"', NO_LINK,
    answered(isPost('Users'), (answer) => ({ ...answer, body: { ...(answer.body as Json), id: undefined } }))],
  ['has numbers as ids', 'error', CREATE, '"id" is the number 1, and must be a string', NO_LINK, { newId: (number) => number }],
  ['returns nothing when it creates', 'error', CREATE, 'the body is empty', NO_LINK,
    answered(isPost('Users'), ({ status }) => ({ status, text: '' }))],
  ['creates with 200', 'acceptable', CREATE, 'HTTP 200 where 201 is documented', '',
    answered(
      (request, { status }) => isPost('Users')(request) && status === 201,
      (answer) => ({ ...answer, status: 200 }),
    )],
  ['refuses to create users', 'error', CREATE, 'HTTP 500: oops', 'not created', instead(isPost('Users'), scimError(500, 'oops'))],
  ['refuses to create groups', 'error', 'create a group', 'HTTP 400: oops', 'not created', instead(isPost('Groups'), scimError(400, 'oops'))],
  ['refuses the enterprise URN', 'error', CREATE, 'HTTP 400: unknown schema', 'not created',
    instead(
      ({ method, body }) => method === 'POST' && JSON.stringify(body.schemas).includes('enterprise'),
      scimError(400, 'unknown schema'),
    )],
  ['refuses an address with a plus sign', 'error', CREATE, 'HTTP 400: invalid', 'not created',
    instead(
      (request) => isPost('Users')(request) && String(request.body.userName).includes('+'),
      scimError(400, 'invalid'),
    )],
  ['creates a user twice', 'error', 'create the same user a second time', 'HTTP 201; expected 409', 'makes a second account',
    { isTaken: () => false }],
  ['answers a duplicate with 400', 'error', 'create the same user a second time', 'HTTP 400', 'does not recognize',
    answered((_, { status }) => status === 409, () => scimError(400, 'exists'))],
  ['answers a duplicate with 500', 'error', 'create the same user a second time', 'HTTP 500', 'does not recognize',
    answered((_, { status }) => status === 409, () => ({ status: 500 }))],
  ['loses the title', 'deviation', CREATE, '"title" is not returned', RESENT, loses('title')],
  ['loses emails', 'deviation', CREATE, '"emails[type eq "work"].value" is not returned', RESENT, loses('emails')],
  ['loses externalId', 'error', CREATE, '"externalId" is not returned', RESENT, loses('externalId')],
  ['loses the enterprise extension', 'deviation', CREATE, `"${ENTERPRISE}:employeeNumber" is not returned`, RESENT, loses(ENTERPRISE)],
  ['loses the nicely written name', 'deviation', CREATE, '"name.formatted" is not returned', RESENT,
    {
      stores: ({ name, ...others }) =>
        ({ ...others, name: { ...(name as Json), formatted: undefined } }) as Resource,
    }],
  ['has Booleans as text', 'deviation', CREATE, '"active" is "true", expected true', RESENT,
    answered(
      ({ kind }) => kind === 'Users',
      (answer) => ({
        ...answer,
        text:
          answer.body === undefined
            ? ''
            : JSON.stringify(answer.body).replace(/"active":(\w+)/g, '"active":"$1"'),
      }),
    )],
  ['loses letters with accents', 'error', 'create a user with fewer attributes', '"displayName" is "Tavish ?indqvist"', RESENT,
    { stores: (resource) => JSON.parse(JSON.stringify(resource).replace(/[^ -~]/g, '?')) }],
  ['writes names in lower case', 'deviation', CREATE, '"displayName" is "mirela', RESENT,
    { stores: (resource) => ({ ...resource, displayName: String(resource.displayName).toLowerCase() }) }],
  // Finding
  ['compares userName with regard to case', 'deviation', 'find the user by userName in upper case', 'found 0 objects, expected 1', 'another case',
    { matches: (shown, wanted) => shown === wanted }],
  ['cannot filter by externalId', 'error', 'find the user by externalId', 'HTTP 400: unknown attribute', 'cannot be the matching attribute',
    instead(
      ({ query }) => query.get('filter')?.startsWith('externalId') === true,
      scimError(400, 'unknown attribute'),
    )],
  ['leaves attributes out of lists', 'deviation', 'find the user by userName', '"externalId" is not returned', RESENT,
    answered(isSearch('Users'), (answer) =>
      listed(answer, (list) => ({
        ...list,
        Resources: (list.Resources as Json[]).map(({ id, userName, active }) => ({ id, userName, active })),
      })),
    )],
  ['does not find names with quotation marks', 'error', 'find the group, without members', 'found 0 objects, expected 1', TWICE,
    {
      matches: (shown, wanted, path, resource) =>
        !wanted.includes('"') && RIGHT.matches(shown, wanted, path, resource),
    }],
  ['finds everything twice', 'error', 'find the user by userName', 'found 2 objects, expected 1', 'MultipleEntriesInResponse',
    answered(isSearch('Users'), (answer) =>
      listed(answer, (list) => {
        const twice = [...(list.Resources as Json[]), ...(list.Resources as Json[])]
        return listOf(twice)
      }),
    )],
  ['cannot read one user', 'error', STORED, 'HTTP 405', 'InvalidAnchor', instead(isOne('Users'), { status: 405 })],
  // Changing
  ['has no PATCH for users', 'error', 'change one attribute', 'HTTP 501: no PATCH', RETRY, instead(isPatchOf('Users'), scimError(501, 'no PATCH'))],
  ['applies only the first operation', 'deviation', 'the changes are stored', 'expected', WRONG,
    {
      operations: ([first], request) =>
        request.kind === 'Users' && first !== undefined ? [first] : (request.body.Operations as never),
    }],
  ['ignores operations without a path', 'deviation', 'the changes are stored', '"displayName" is', WRONG,
    { operations: (operations) => operations.filter(({ path }) => path !== undefined) }],
  ['ignores paths with a filter', 'deviation', 'the changes are stored', '"emails[type eq "work"].value" is', WRONG,
    { operations: (operations) => operations.filter(({ path }) => path?.includes('[type') !== true) }],
  ['ignores paths of the extension', 'deviation', 'the changes are stored', `"${ENTERPRISE}:department" is "Field"`, WRONG,
    { operations: (operations) => operations.filter(({ path }) => path?.startsWith('urn:') !== true) }],
  ['refuses operations in title case', 'error', 'change one attribute', 'HTTP 400: op', RETRY,
    instead(
      (request) => isPatchOf('Users')(request) && /"op":"[A-Z]/.test(JSON.stringify(request.body)),
      scimError(400, 'op'),
    )],
  ['ignores PATCH', 'deviation', 'the changes are stored', '"displayName" is "Mirela O\'Sterholt"', WRONG,
    { operations: (operations, { kind }) => (kind === 'Users' ? [] : operations) }],
  ['replaces the whole user by PATCH', 'deviation', 'the changes are stored', '"title" is not returned', WRONG, replacing()],
  ['changes all users by PATCH', 'deviation', 'another user is unchanged', '"displayName" is "Mirela Osterholt-Pike"', WRONG, changingAll()],
  ['answers PATCH without a body with 200', 'deviation', 'change one attribute', 'HTTP 200 without a resource', 'cannot read the response',
    answered(isPatchOf('Users'), () => ({ status: 200, text: '' }))],
  ['answers PATCH with 202', 'acceptable', 'change one attribute', 'HTTP 202', '', answered(isPatchOf('Users'), () => ({ status: 202 }))],
  ['refuses to add a first value', 'error', 'add attributes that had no value', 'HTTP 400', RETRY,
    instead(
      (request) =>
        isPatchOf('Users')(request) &&
        /"op":"add"/i.test(JSON.stringify(request.body)) &&
        !/manager/.test(JSON.stringify(request.body)),
      { status: 400 },
    )],
  ['gives a renamed user another id', 'error', 'the id is unchanged', '"id" is "', 'loses the link',
    {
      answers: (answer, request) =>
        isSearch('Users')(request) && /renamed/.test(request.query.get('filter') ?? '')
          ? listed(answer, (list) => ({
              ...list,
              Resources: (list.Resources as Json[]).map((user) => ({ ...user, id: `${user.id}x` })),
            }))
          : answer,
    }],
  ['keeps the old name reserved', 'error', 'the old name can be used again', 'found 1 objects, expected 0', 'wrong account',
    {
      stores: (resource, previous) => ({ ...resource, formerName: previous?.userName ?? resource.userName }),
      matches: (shown, wanted, path, resource) =>
        RIGHT.matches(shown, wanted, path, resource) ||
        (path === 'userName' && RIGHT.matches(resource.formerName, wanted, path, resource)),
    }],
  ['ignores the manager', 'deviation', 'the manager is stored', ':manager.value" is not returned', WRONG,
    { operations: (operations) => operations.filter(({ path }) => path?.endsWith(':manager') !== true) }],
  ['refuses the manager', 'error', 'set the manager', 'HTTP 400', 'reference fails in every cycle',
    instead((request) => isPatchOf('Users')(request) && /:manager/.test(JSON.stringify(request.body)), {
      status: 400,
    })],
  // Members
  ['ignores excludedAttributes', 'deviation', 'find the group, without members', '"members" is returned although it was excluded', 'all members',
    {
      before: (request) => {
        request.query.delete('excludedAttributes')
        return undefined
      },
    }],
  ['has no PATCH for groups', 'error', 'add two members', 'HTTP 501', 'memberships are not sent', instead(isPatchOf('Groups'), { status: 501 })],
  ['adds at most ten members', 'deviation', 'the group has all 12 members', 'the group has 10 members, expected 12: 2 missing', MEMBERS,
    { adds: (members, added) => RIGHT.adds(members, added.slice(0, 10)) }],
  ['adds only the first member', 'deviation', 'the group has both members', 'the group has 1 member, expected 2', MEMBERS,
    { adds: (members, added) => RIGHT.adds(members, added.slice(0, 1)) }],
  ['replaces the members when some are added', 'deviation', 'the group still has both members', 'the group has 1 member, expected 2: 1 missing', MEMBERS,
    { adds: (_, added) => added }],
  ['lists a member twice', 'deviation', 'the group still has both members', 'a member is listed twice', 'other clients',
    { adds: (members, added) => [...members, ...added] }],
  ['refuses a member that is there', 'error', 'add a member a second time', 'HTTP 409', 'reference fails in every cycle', refusingRepetition()],
  ['removes only the first member', 'deviation', 'only those members are removed', 'the group has 11 members, expected 9: 2 too many', MEMBERS,
    {
      removes: (members, removed) => RIGHT.removes(members, removed.slice(0, 1)),
      operations: (operations) => operations.filter(({ op }, index) => !/remove/i.test(op) || index === 0),
    }],
  ['removes all members', 'deviation', 'only that member is removed', 'the group has 0 members, expected 1: 1 missing', MEMBERS,
    { removes: () => [] }],
  ['removes no member', 'deviation', 'only that member is removed', '1 too many', MEMBERS, { removes: (members) => members }],
  ['loses members when a group is renamed', 'deviation', 'the renamed group keeps its members', '1 missing', MEMBERS,
    {
      stores: (resource, previous) =>
        previous !== undefined && resource.displayName !== previous.displayName && 'members' in resource
          ? { ...resource, members: [] }
          : resource,
    }],
  ['refuses the group of 2018', 'deviation', 'create a group with the URN of jobs from before 2019', 'HTTP 400', 'later jobs do not send',
    instead(
      (request) => isPost('Groups')(request) && /ADSCIM/.test(JSON.stringify(request.body)),
      scimError(400, 'unknown'),
    )],
  // Disabling and deleting
  ['cannot disable', 'deviation', 'a disabled user can be read', '"active" is true, expected false', 'can still be used',
    {
      stores: (resource, previous) =>
        previous !== undefined && 'active' in resource ? { ...resource, active: true } : resource,
    }],
  ['takes "False" for true', 'deviation', 'a disabled user can be read', '"active" is true, expected false', 'can still be used',
    {
      stores: (resource) => resource,
      operations: (operations) =>
        operations.map((operation) =>
          operation.path === 'active' && operation.value === 'False'
            ? { ...operation, value: true }
            : operation,
        ),
    }],
  ['hides disabled users', 'error', 'a disabled user can be read', 'HTTP 404', 'loses the link to the disabled user',
    {
      before: (request, zoo) =>
        isOne('Users')(request) && !isActive(zoo.Users.get(String(request.id)) ?? ({} as Resource))
          ? scimError(404, 'gone')
          : undefined,
    }],
  ['does not find disabled users', 'error', 'a disabled user can be found', 'found 0 objects, expected 1', 'loses the link to the disabled user',
    {
      matches: (shown, wanted, path, resource) =>
        isActive(resource) && RIGHT.matches(shown, wanted, path, resource),
    }],
  ['cannot enable', 'deviation', 'an enabled user is active', '"active" is false, expected true', 'cannot be used',
    { stores: (resource, previous) => previous?.active === false ? { ...resource, active: false } : resource }],
  ['removes disabled users from groups', 'deviation', 'memberships survive disabling the user', 'the group has 0 members, expected 1', 'does not send memberships again',
    {
      stores: (resource, _, zoo) => {
        if (resource.active === false)
          for (const group of zoo.Groups.values())
            group.members = membersOf(group).filter((id) => id !== resource.id)
        return resource
      },
    }],
  ['cannot delete', 'error', 'delete a user', 'HTTP 405', 'not removed',
    instead((request) => isDelete('Users')(request) && request.token === TOKEN, { status: 405 })],
  ['does not delete', 'error', 'a deleted user cannot be read', 'HTTP 200; expected 404', 'not removed; Entra does not notice',
    { deletes: () => undefined }],
  ['finds deleted users', 'error', 'a deleted user cannot be found', 'found 1 objects, expected 0', 'deleted account', findingDeleted()],
  ['keeps the names of deleted users', 'error', 'create a new user with the old name', 'HTTP 409', 'not created', keepingNames()],
  ['lists deleted users as members', 'deviation', 'a deleted user is not a member', 'the deleted user is still a member', 'a member that does not exist',
    { deletes: (zoo, kind, id) => void zoo[kind].delete(id) }],
  ['deletes all users', 'error', 'another user remains', 'HTTP 404', 'deletes another one', { deletes: (zoo, kind) => zoo[kind].clear() }],
  ['fails when a deleted user is deleted again', 'deviation', 'delete a user that does not exist', 'HTTP 500', 'retries the deletion',
    answered((request, { status }) => isDelete('Users')(request) && status === 404, () => ({ status: 500 }))],
  ['answers 410 for a deleted user', 'deviation', 'a deleted user cannot be read', 'HTTP 410', 'does not recognize',
    answered((request, { status }) => isOne('Users')(request) && status === 404, () => ({ status: 410 }))],
  // Pages
  ['ignores count', 'error', 'account discovery: first page', 'requested were 2', 'more than it asked for',
    { pages: (list, startIndex) => list.slice(startIndex - 1) }],
  ['ignores startIndex', 'error', 'account discovery: second page', '2 of the page were on an earlier page', 'finds users twice',
    { pages: (list, _, count) => list.slice(0, count) }],
  ['counts from zero', 'error', 'account discovery: last user', 'the page is empty, expected 1', 'does not find all users',
    { pages: (list, startIndex, count) => list.slice(startIndex, startIndex + count) }],
  ['has only one page', 'error', 'account discovery: second page', 'the page is empty', 'does not find all users',
    { pages: (list, startIndex, count) => (startIndex > 1 ? [] : list.slice(0, count)) }],
  ['counts only the page', 'error', 'account discovery: second page', '"totalResults" is 2, but the pages have 4', 'end too early',
    answered(
      ({ query }) => query.has('count'),
      (answer) => withBody(answer, (list) => ({ ...list, totalResults: (list.Resources as Json[]).length })),
    )],
  ['says no startIndex', 'deviation', 'account discovery: first page', '"startIndex" is missing, expected 1', 'end too early',
    answered(
      ({ query }) => query.has('count'),
      (answer) => withBody(answer, ({ startIndex: _, ...list }) => list),
    )],
  // Concurrent clients
  ['loses members that are added at once', 'error', '3 clients add a member each to one group', '3 of 3 acknowledged, 2 members lost', 'does not send memberships again',
    { isLocked: (request) => !isPatchOf('Groups')(request) }],
  ['loses values that are changed at once', 'error', '3 clients change an attribute each of one user', '3 of 3 acknowledged, 2 values lost', 'does not send the values again',
    { isLocked: (request) => !isPatchOf('Users')(request) }],
  ['creates two users of a name at once', 'error', '3 clients create a user of the same name', '3 of 3 created', 'DuplicateTargetEntries',
    { isLocked: (request) => !isPost('Users')(request) }],
]

export const FAULTS: readonly ZooFault[] = ROWS.map(([fault, grade, at, says, entra, server]) => ({
  fault,
  grade,
  at,
  says,
  entra,
  server,
}))

function replacing(): Partial<Behaviour> {
  return {
    stores: (resource, previous) => {
      if (previous === undefined || 'members' in resource || !('userName' in resource)) return resource
      const { id, userName, displayName, active } = resource
      return { id, userName, displayName, active }
    },
  }
}

function changingAll(): Partial<Behaviour> {
  return {
    stores: (resource, previous, zoo) => {
      const { displayName } = resource
      if (previous !== undefined && previous.displayName !== displayName)
        for (const user of zoo.Users.values())
          if ('displayName' in user) set(user, 'displayName', displayName)
      return resource
    },
  }
}

function refusingRepetition(): Partial<Behaviour> {
  return {
    before: (request, zoo) => {
      if (!isPatchOf('Groups')(request) || !/"op":"add"/i.test(JSON.stringify(request.body))) return undefined
      const group = zoo.Groups.get(String(request.id))
      const sent = JSON.stringify(request.body)
      const isRepeated =
        group !== undefined && membersOf(group).some((id) => sent.includes(`"value":"${id}"`))
      return isRepeated ? scimError(409, 'is a member') : undefined
    },
  }
}

function findingDeleted(): Partial<Behaviour> {
  return {
    deletes: (zoo, kind, id) => {
      const userName = zoo[kind].get(id)?.userName
      RIGHT.deletes(zoo, kind, id)
      const ghost = `ghost-${id}`
      if (kind === 'Users') zoo.Users.set(ghost, { id: ghost, userName })
    },
  }
}

function keepingNames(): Partial<Behaviour> {
  const names = new Set<unknown>()
  return {
    before: (request) =>
      isPost('Users')(request) && names.has(request.body.userName) ? scimError(409, 'was used') : undefined,
    deletes: (zoo, kind, id) => {
      names.add(zoo[kind].get(id)?.userName)
      RIGHT.deletes(zoo, kind, id)
    },
  }
}
