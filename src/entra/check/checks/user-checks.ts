/** The checks about creating, finding, changing and renaming users. */
import type { MappedValues } from '../../mappings/attribute-mapping.ts'
import {
  createRequest,
  deleteRequest,
  matchRequest,
  readRequest,
  referenceRequest,
  updateRequest,
} from '../../protocol/requests.ts'
import { accepted, conflict, created, hasValues, listOf } from '../assertions.ts'
import { atWorst } from '../findings.ts'
import { changesBetween, managerPath, type Scene, shown } from '../scene.ts'
import {
  type CheckDefinition,
  creation,
  type Effects,
  entraPage,
  rfc,
  type SingleStep,
  step,
} from './check-definition.ts'
import { ANYBODY, refused } from './connection-checks.ts'

const NOT_FOUND = 'Entra does not find the user: it tries to create it, and fails or makes a second account'
const RESENT = 'Entra sends the attribute again each time the object changes'
const WRONG_DATA = 'The target keeps wrong data; Entra does not notice'

const MATCHING: Effects = {
  missing: NOT_FOUND,
  surplus: 'Entra takes the wrong user, or logs MultipleEntriesInResponse',
  value: RESENT,
  id: 'Entra loses the link to the user: it logs InvalidAnchor',
}
const STORED: Effects = { value: RESENT, refusal: 'Entra cannot read the user: it logs InvalidAnchor' }
const CHANGED: Effects = { value: WRONG_DATA, refusal: 'Entra cannot read the user: it logs InvalidAnchor' }

const IN_UPPER_CASE = 'find the user by userName in upper case'

/** Until this step succeeds, the user cannot be found by its new name. */
export const NAME_STORED = 'the new name is stored'

export const USER_CHECKS: readonly CheckDefinition[] = [
  {
    name: 'create-user',
    what: 'a user is created with 201, an "id" as a string, and the values that were sent',
    why: 'Without the id, Entra cannot link the user',
    source: entraPage('use-scim-to-provision-users-and-groups#create-user'),
    needs: ['users'],
    steps: (scene) => [
      step('match a user that does not exist', matchUser(scene, scene.first), listOf(0), MATCHING),
      creation(
        'first',
        'create a user',
        () => createRequest('User', scene.first),
        created(shown(scene.first)),
      ),
      creation(
        'second',
        'create a user with fewer attributes',
        () => createRequest('User', scene.second),
        created(shown(scene.second)),
      ),
    ],
  },
  {
    name: 'token-for-changes',
    what: 'changes and deletions of a user without the right token are refused',
    why: ANYBODY,
    source: rfc(7644, '2'),
    needs: ['users'],
    steps: tokenSteps,
  },
  {
    name: 'find-user',
    what: 'the user is found by its matching attribute, by userName in upper case as well, and by externalId',
    why: NOT_FOUND,
    source: entraPage('customize-application-attributes#matching-users-in-the-source-and-target--systems'),
    needs: ['users'],
    steps: findSteps,
  },
  {
    name: 'unique-user',
    what: 'a second user with the same name is refused with 409',
    why: 'A retry after a lost response makes a second account',
    source: rfc(7644, '3.3'),
    needs: ['users'],
    steps: ({ first }) => [
      {
        ...step('create the same user a second time', () => createRequest('User', first), conflict(), {
          consent: 'A retry after a lost response makes a second account',
          refusal: 'Entra does not recognize that the user exists: it retries as after any error',
        }),
        requires: ['first'],
      },
    ],
  },
  {
    name: 'stored-user',
    what: 'every mapped attribute is returned with the value that was sent',
    why: RESENT,
    source: entraPage('how-provisioning-works#incremental-cycles'),
    needs: ['users'],
    steps: ({ first }) => [read('first', 'every mapped attribute is returned', first, STORED)],
  },
  {
    name: 'update-user',
    what: 'one attribute, several attributes and a first value are changed by PATCH, and nothing else is',
    why: WRONG_DATA,
    source: entraPage(
      'application-provisioning-config-problem-scim-compatibility#flags-to-alter-the-scim-behavior',
    ),
    needs: ['users'],
    steps: updateSteps,
  },
  {
    name: 'rename-user',
    what: 'a new name keeps the id, and the old name is free',
    why: 'Entra loses the link to the user',
    source: rfc(7643, '3.1'),
    needs: ['users'],
    steps: renameSteps,
  },
  {
    name: 'manager',
    what: 'a manager is set, replaced and returned as a reference',
    why: 'The reference fails in every cycle',
    source: rfc(7643, '4.3'),
    needs: ['users'],
    steps: managerSteps,
  },
]

function tokenSteps({ spare, dialect }: Scene): readonly SingleStep[] {
  const enable = { op: 'replace', path: 'active', value: true } as const
  return [
    creation('spare', 'create a user for it', () => createRequest('User', spare), created({})),
    refused('change a user', 'random', (id) => updateRequest('User', id('spare'), [enable], dialect)),
    refused('delete a user', 'random', (id) => deleteRequest('User', id('spare'))),
  ]
}

function findSteps(scene: Scene): readonly SingleStep[] {
  const { first, userKey } = scene
  const externalId = first.get('externalId')
  const key = String(first.get(userKey))
  const byKey: SingleStep = {
    ...step(`find the user by ${userKey}`, matchUser(scene, first), listOf(1), MATCHING),
    assertion: (id) => listOf(1, { id: id('first'), externalId, [userKey]: first.get(userKey) }),
  }
  // userName is not case-exact (RFC 7643 §4.1.1); externalId is (§3.1), and others may be.
  const inUpperCase: SingleStep = {
    ...step(
      IN_UPPER_CASE,
      () => matchRequest('User', userKey, key.toUpperCase()),
      atWorst('deviation', listOf(1)),
      { missing: 'Entra does not find a user whose name has another case at the target' },
    ),
    assertion: (id) => atWorst('deviation', listOf(1, { id: id('first') })),
    after: [byKey.title],
  }
  const byMatching = userKey === 'userName' ? [byKey, inUpperCase] : [byKey]
  if (externalId === undefined || userKey === 'externalId') return byMatching
  const byExternalId: SingleStep = {
    ...step('find the user by externalId', () => matchRequest('User', 'externalId', externalId), listOf(1), {
      missing: 'externalId cannot be the matching attribute',
      refusal: 'externalId cannot be the matching attribute',
    }),
    assertion: (id) => listOf(1, { id: id('first') }),
  }
  return [...byMatching, byExternalId]
}

function updateSteps(scene: Scene): readonly SingleStep[] {
  const { first, firstWithName, firstWithMore, second, secondComplete } = scene
  const one = { title: 'change one attribute', before: first, after: firstWithName }
  const several = { title: 'change several attributes', before: firstWithName, after: firstWithMore }
  const changing = [...changeUser(scene, 'first', one), ...changeUser(scene, 'first', several)]
  const adding = changeUser(scene, 'second', {
    title: 'add attributes that had no value',
    before: second,
    after: secondComplete,
  })
  return [
    ...changing,
    { ...read('first', 'the changes are stored', firstWithMore, CHANGED), after: titlesOf(changing) },
    read('second', 'another user is unchanged', second, CHANGED),
    ...adding,
    {
      ...read('second', 'the added attributes are stored', secondComplete, CHANGED),
      after: titlesOf(adding),
    },
  ]
}

function titlesOf(steps: readonly SingleStep[]): readonly string[] {
  return steps.map(({ title }) => title)
}

function renameSteps(scene: Scene): readonly SingleStep[] {
  const { first, firstRenamed, firstWithMore } = scene
  const [from, to] = [first.get('userName'), firstRenamed.get('userName')]
  if (from === undefined || to === undefined || from === to) return []
  const change = { title: 'change the name', before: firstWithMore, after: firstRenamed }
  const isStored = hasValues({ userName: to })
  const stored = step(NAME_STORED, (id) => readRequest('User', id('first')), isStored, CHANGED)
  const find = step('the id is unchanged', () => matchRequest('User', 'userName', to), listOf(1), MATCHING)
  const findOld = step(
    'the old name can be used again',
    () => matchRequest('User', 'userName', from),
    listOf(0),
    { surplus: 'A new user with the old name is linked to the wrong account' },
  )
  return [
    ...changeUser(scene, 'first', change),
    { ...stored, after: ['change the name'] },
    { ...find, assertion: (id) => listOf(1, { id: id('first') }), after: [NAME_STORED] },
    { ...findOld, after: [NAME_STORED] },
  ]
}

function managerSteps({ mappings, dialect }: Scene): readonly SingleStep[] {
  const path = managerPath(mappings)
  if (path === undefined) return []
  const set = (title: string, user: string, manager: string): SingleStep =>
    step(title, (id) => referenceRequest(id(user), path, id(manager), dialect), accepted(), {
      refusal: 'The reference fails in every cycle',
    })
  const readManager = (title: string, user: string, manager: string, after: string): SingleStep => ({
    ...step(title, (id) => readRequest('User', id(user)), accepted(), CHANGED),
    assertion: (id) => hasValues({ [`${path}.value`]: id(manager) }),
    after: [after],
  })
  return [
    set('set the manager', 'first', 'second'),
    readManager('the manager is stored', 'first', 'second', 'set the manager'),
    set('replace the manager', 'first', 'first'),
    readManager('the new manager is stored', 'first', 'first', 'replace the manager'),
  ]
}

interface Change {
  readonly title: string
  readonly before: MappedValues
  readonly after: MappedValues
}

/** The step that brings a user from one version to the next; none if the mappings do not show the difference. */
export function changeUser(
  { dialect }: Scene,
  object: string,
  { title, before, after }: Change,
): readonly SingleStep[] {
  const changes = changesBetween(before, after)
  if (changes.length === 0) return []
  return [step(title, (id) => updateRequest('User', id(object), changes, dialect), accepted())]
}

/** A step that reads a user and compares its values. */
export function read(object: string, title: string, values: MappedValues, effects: Effects): SingleStep {
  return step(title, (id) => readRequest('User', id(object)), hasValues(shown(values)), effects)
}

/** Queries a user by the matching attribute of the job. */
export function matchUser({ userKey }: Scene, values: MappedValues): SingleStep['request'] {
  return () => matchRequest('User', userKey, String(values.get(userKey)))
}
