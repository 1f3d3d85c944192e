/**
 * The life that the verdict walks an endpoint through: two people and a group, from the connection test to deletion, in
 * one dialect. Each step has its request, its judge, and what Entra would do about a wrong answer. Data and pure
 * functions; check.ts sends.
 */
import type { MappedValues } from '../mappings/attribute-mapping.ts'
import {
  type AttributeChange,
  addMembersRequest,
  createRequest,
  type Dialect,
  deleteRequest,
  matchRequest,
  pageRequest,
  probeRequest,
  readRequest,
  removeMembersRequest,
  type ScimRequest,
  schemasRequest,
  updateRequest,
} from '../protocol/requests.ts'
import {
  accepted,
  anyList,
  conflict,
  created,
  deleted,
  gone,
  type Judge,
  listOf,
  page,
  shows,
} from './assertions.ts'

export type CheckObject = 'first' | 'second' | 'successor' | 'group' | 'groupAgain'

/** The id that the endpoint gave an object. Throws `MissingObject` when creating it failed. */
export type IdOf = (object: CheckObject) => string

export interface CheckStep {
  readonly title: string
  readonly consequence: string
  readonly request: (id: IdOf) => ScimRequest
  readonly judge: (id: IdOf) => Judge
  /** The object whose id the answer gives. */
  readonly captures?: CheckObject
  /** The object that is gone once the answer is a success. */
  readonly removes?: CheckObject
}

const NATIVE_OBJECT_ID = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId'

const TEST_FAILS = 'Test connection fails; a running job goes into quarantine'
const ESCROW = 'The object goes into escrow and is tried again'
const NO_LINK = 'The object cannot be linked: later cycles try to create it again'
const RESENT = 'Entra sends the attribute again whenever the object changes'
const WRONG_DATA = 'The target keeps wrong data; Entra does not notice'
const RECREATED = 'Entra loses the user: InvalidAnchor, or a second account'
const MEMBERS = 'Group memberships are wrong at the target; Entra never reads them back'

/** The steps for one dialect. `mark` makes the names unique. */
export function lifeSteps(dialect: Dialect, mark: string, newId: () => string): CheckStep[] {
  const first = person(`${mark}.first+tag`, 'Mirela', "O'Sterholt", newId())
  const second = person(`${mark}.second`, 'Tavish', 'Łindqvist', newId())
  const renamed = `${mark}.renamed@entra-check.example`
  const secondName = String(second.get('userName'))
  const group: MappedValues = new Map([
    ['externalId', newId()],
    ['displayName', `${mark} "Crew" \\ ÉQUIPE`],
  ])
  const groupName = String(group.get('displayName'))
  const newGroupName = `${mark} crew renamed`
  const change = (object: CheckObject, changes: readonly AttributeChange[]) => (id: IdOf) =>
    updateRequest(
      object === 'group' || object === 'groupAgain' ? 'Group' : 'User',
      id(object),
      changes,
      dialect,
    )
  const replace = (path: string, value: string | boolean): AttributeChange => ({ op: 'replace', path, value })
  const read = (object: 'first' | 'second') => (id: IdOf) => readRequest('User', id(object))
  return [
    step(
      'test the connection: no such user',
      TEST_FAILS,
      () => probeRequest('User', 'userName', newId()),
      listOf(0),
    ),
    step(
      'test the connection: no such group',
      TEST_FAILS,
      () => probeRequest('Group', 'displayName', newId()),
      listOf(0),
    ),
    step(
      'read the schemas',
      'A gallery application shows no attributes of the endpoint',
      schemasRequest,
      anyList(),
    ),
    step(
      'match a user who is not there',
      ESCROW,
      () => matchRequest('User', 'userName', String(first.get('userName'))),
      listOf(0),
    ),
    {
      ...step(
        'create a user',
        NO_LINK,
        () => createRequest('User', first, dialect),
        created(asExpected(first)),
      ),
      captures: 'first',
    },
    {
      ...step(
        'create a second user',
        NO_LINK,
        () => createRequest('User', second, dialect),
        created(asExpected(second)),
      ),
      captures: 'second',
    },
    step(
      'find the user by userName',
      RECREATED,
      () => matchRequest('User', 'userName', String(first.get('userName')).toUpperCase()),
      listOf(1, { externalId: first.get('externalId'), active: true }),
    ),
    step(
      'find the user by externalId',
      'Only userName can be the matching attribute',
      () => matchRequest('User', 'externalId', String(first.get('externalId'))),
      listOf(1),
    ),
    step(
      'create the same user again',
      'Duplicates arise after a timeout',
      () => createRequest('User', first, dialect),
      conflict(),
    ),
    step('every mapped attribute is shown', RESENT, read('first'), shows(asExpected(first))),
    step(
      'match a group that is not there',
      ESCROW,
      () => matchRequest('Group', 'displayName', groupName),
      listOf(0),
    ),
    {
      ...step(
        'create a group',
        NO_LINK,
        () => createRequest('Group', group, dialect),
        created({ displayName: groupName }),
      ),
      captures: 'group',
    },
    step(
      'find the group, without members',
      'MultipleEntriesInResponse can be logged',
      () => matchRequest('Group', 'displayName', groupName),
      listOf(1, { displayName: groupName }, ['members']),
    ),
    step(
      'add two members',
      MEMBERS,
      (id) => addMembersRequest(id('group'), [id('first'), id('second')], dialect),
      accepted(),
    ),
    step(
      'add a member again',
      'The reference fails for ever',
      (id) => addMembersRequest(id('group'), [id('first')], dialect),
      accepted(),
    ),
    {
      ...step('the group has both members', MEMBERS, (id) => groupWithMembers(id('group')), accepted()),
      judge: (id) => shows({ members: [id('first'), id('second')] }),
    },
    step(
      'change displayName',
      ESCROW,
      change('first', [replace('displayName', 'Mirela Osterholt-Pike')]),
      accepted(),
    ),
    step(
      'change several attributes',
      ESCROW,
      change('first', [
        replace('name.familyName', 'Osterholt-Pike'),
        replace('name.formatted', 'Mirela Osterholt-Pike'),
        replace(NATIVE_OBJECT_ID, 'C0A1F7D2-11B4-4F6E-9A67-5D2F0F7BE310'),
      ]),
      accepted(),
    ),
    step(
      'the changes hold',
      WRONG_DATA,
      read('first'),
      shows({
        displayName: 'Mirela Osterholt-Pike',
        'name.givenName': 'Mirela',
        'name.familyName': 'Osterholt-Pike',
        [NATIVE_OBJECT_ID]: 'C0A1F7D2-11B4-4F6E-9A67-5D2F0F7BE310',
      }),
    ),
    step('change userName', ESCROW, change('first', [replace('userName', renamed)]), accepted()),
    {
      ...step('the id stays', RECREATED, () => matchRequest('User', 'userName', renamed), listOf(1)),
      judge: (id) => listOf(1, { id: id('first') }),
    },
    step(
      'the old name is free',
      WRONG_DATA,
      () => matchRequest('User', 'userName', String(first.get('userName'))),
      listOf(0),
    ),
    step(
      'remove one member',
      MEMBERS,
      (id) => removeMembersRequest(id('group'), [id('second')], dialect),
      accepted(),
    ),
    {
      ...step('only that member is gone', MEMBERS, (id) => groupWithMembers(id('group')), accepted()),
      judge: (id) => shows({ members: [id('first')] }),
    },
    step('rename the group', ESCROW, change('group', [replace('displayName', newGroupName)]), accepted()),
    step(
      'read the group without members',
      ESCROW,
      (id) => readRequest('Group', id('group')),
      shows({ displayName: newGroupName }, ['members']),
    ),
    step(
      'disable the user',
      'The account stays usable',
      change('first', [replace('active', false)]),
      accepted(),
    ),
    step(
      'a disabled user is readable',
      RECREATED,
      read('first'),
      shows({ active: false, userName: renamed }),
    ),
    step(
      'a disabled user is found',
      RECREATED,
      () => matchRequest('User', 'userName', renamed),
      listOf(1, { active: false }),
    ),
    step(
      'enable the user',
      'The account stays unusable',
      change('first', [replace('active', true)]),
      accepted(),
    ),
    step('an enabled user is active', WRONG_DATA, read('first'), shows({ active: true })),
    {
      ...step(
        'memberships outlive a disable',
        'Memberships are not sent again: the user stays out',
        (id) => groupWithMembers(id('group')),
        accepted(),
      ),
      judge: (id) => shows({ members: [id('first')] }),
    },
    {
      ...step('delete a user', 'The account stays', (id) => deleteRequest('User', id('second')), deleted()),
      removes: 'second',
    },
    step('a deleted user is gone', WRONG_DATA, read('second'), gone()),
    step(
      'a deleted user is not found',
      'A new user of that name cannot be created',
      () => matchRequest('User', 'userName', secondName),
      listOf(0),
    ),
    {
      ...step(
        'create a new user under the old name',
        NO_LINK,
        () => createRequest('User', second, dialect),
        created({ userName: secondName }),
      ),
      captures: 'successor',
    },
    {
      ...step('delete the group', 'The group stays', (id) => deleteRequest('Group', id('group')), deleted()),
      removes: 'group',
    },
    step('a deleted group is gone', WRONG_DATA, (id) => readRequest('Group', id('group')), gone()),
    {
      ...step(
        'create the group again',
        NO_LINK,
        () => createRequest('Group', group, dialect),
        created({ displayName: groupName }),
      ),
      captures: 'groupAgain',
    },
    step(
      'account discovery: first page',
      'Account discovery fails',
      () => pageRequest('User', 1, 2),
      page(1),
    ),
    step(
      'account discovery: second page',
      'Account discovery fails',
      () => pageRequest('User', 3, 2),
      page(3),
    ),
  ]
}

function step(title: string, consequence: string, request: CheckStep['request'], judge: Judge): CheckStep {
  return { title, consequence, request, judge: () => judge }
}

function groupWithMembers(id: string): ScimRequest {
  return { method: 'GET', path: `/Groups/${encodeURIComponent(id)}` }
}

function person(name: string, givenName: string, familyName: string, nativeObjectId: string): MappedValues {
  return new Map<string, string | boolean>([
    ['externalId', `${name}-Ext`],
    ['userName', `${name}@entra-check.example`],
    ['active', true],
    ['displayName', `${givenName} ${familyName}`],
    ['name.givenName', givenName],
    ['name.familyName', familyName],
    ['name.formatted', `${givenName} ${familyName}`],
    [NATIVE_OBJECT_ID, nativeObjectId],
  ])
}

function asExpected(values: MappedValues): Record<string, unknown> {
  return Object.fromEntries(values)
}
