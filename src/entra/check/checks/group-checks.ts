/** The checks about groups and their members. */
import {
  addMembersRequest,
  createGroupOf2018Request,
  createRequest,
  deleteRequest,
  matchRequest,
  readRequest,
  removeMembersRequest,
  type ScimRequest,
  updateRequest,
} from '../../protocol/requests.ts'
import { accepted, created, deleted, hasMembers, hasValues, listOf, notFound } from '../assertions.ts'
import { atWorst } from '../findings.ts'
import { changesBetween, type Scene, shown } from '../scene.ts'
import {
  type CheckDefinition,
  type CheckStep,
  creation,
  type Effects,
  entraPage,
  type IdOf,
  rfc,
  type SingleStep,
  step,
} from './check-definition.ts'
import { refused } from './connection-checks.ts'

const MEMBERS_WRONG = 'Group memberships are wrong at the target; Entra never reads them back'
const MEMBERS: Effects = {
  missing: MEMBERS_WRONG,
  surplus: MEMBERS_WRONG,
  refusal: 'The memberships are not sent; Entra tries again',
}
const WITHOUT_MEMBERS: Effects = {
  missing: 'Entra does not find the group: it tries to create it, and fails or makes a second one',
  surplus: 'Entra takes the wrong group, or logs MultipleEntriesInResponse',
  excluded:
    'Entra receives all members each time it looks for the group, which takes long or fails for a large one',
}

export const GROUP_CHECKS: readonly CheckDefinition[] = [
  {
    name: 'create-group',
    what: 'a group is created without members, with an "id" as a string',
    why: 'Without the id, Entra cannot link the group',
    source: entraPage('use-scim-to-provision-users-and-groups#create-group'),
    needs: ['groups'],
    steps: (scene) => [
      step('match a group that does not exist', matchGroup(scene), listOf(0), WITHOUT_MEMBERS),
      creation(
        'group',
        'create a group',
        () => createRequest('Group', scene.group),
        created(shown(scene.group)),
      ),
      refused('change a group', 'random', (id) =>
        updateRequest('Group', id('group'), [...changesBetween(new Map(), scene.group)], scene.dialect),
      ),
    ],
  },
  {
    name: 'find-group',
    what: 'the group is found by its name with quotation marks, without its members',
    why: 'Entra does not find the group, or receives all members each time',
    source: entraPage('use-scim-to-provision-users-and-groups#group-operations'),
    needs: ['groups'],
    steps: (scene) => [
      {
        ...step('find the group, without members', matchGroup(scene), listOf(1), WITHOUT_MEMBERS),
        assertion: (id) => listOf(1, { id: id('group'), ...shown(scene.group) }, ['members']),
      },
    ],
  },
  {
    name: 'members',
    what: 'members are added, added again and removed, and no others change',
    why: MEMBERS_WRONG,
    source: entraPage('use-scim-to-provision-users-and-groups#update-group-add-members'),
    needs: ['users', 'groups'],
    steps: memberSteps,
  },
  {
    name: 'many-members',
    what: '100 members are added in one request, as Entra does, and several are removed in one',
    why: MEMBERS_WRONG,
    source: rfc(7644, '3.5.2'),
    needs: ['users', 'groups'],
    steps: crewSteps,
  },
]

/** These come after the checks about disabling and deleting users, which need the group with its members. */
export const LAST_GROUP_CHECKS: readonly CheckDefinition[] = [
  {
    name: 'rename-group',
    what: 'a group gets a new name, keeps its members, and is read without them',
    why: MEMBERS_WRONG,
    source: entraPage('use-scim-to-provision-users-and-groups#update-group-non-member-attributes'),
    needs: ['groups'],
    steps: renameSteps,
  },
  {
    name: 'delete-group',
    what: 'a deleted group answers 404, and can be created again',
    why: 'The group is not removed',
    source: rfc(7644, '3.6'),
    needs: ['groups'],
    steps: (scene) => [
      step('delete the group', (id) => deleteRequest('Group', id('group')), deleted(), {
        refusal: 'The group is not removed; Entra tries again',
      }),
      {
        ...step('a deleted group cannot be read', (id) => readRequest('Group', id('group')), notFound(), {
          consent: 'The group is not removed; Entra does not notice',
        }),
        after: ['delete the group'],
      },
      {
        ...creation(
          'groupAgain',
          'create the group again',
          () => createRequest('Group', scene.group),
          created(shown(scene.group)),
        ),
        after: ['delete the group'],
      },
    ],
  },
  {
    name: 'group-of-2018',
    what: 'a group is created with the ADSCIM URN that jobs from before December 2018 send, in the old dialect',
    why: 'Groups of such a job are not created; later jobs do not send this URN',
    source: entraPage(
      'application-provisioning-config-problem-scim-compatibility#scim-20-compliance-issues-and-status',
    ),
    needs: ['groups'],
    steps: groupOf2018,
  },
]

function memberSteps({ dialect }: Scene): readonly SingleStep[] {
  const add = (title: string, objects: readonly string[]): SingleStep =>
    step(title, (id) => addMembersRequest(id('group'), objects.map(id), dialect), accepted(), MEMBERS)
  return [
    add('add two members', ['first', 'second']),
    {
      ...hasGroupMembers('the group has both members', 'group', ['first', 'second']),
      after: ['add two members'],
    },
    {
      ...add('add a member a second time', ['first']),
      effects: { refusal: 'The reference fails in every cycle' },
    },
    {
      ...hasGroupMembers('the group still has both members', 'group', ['first', 'second']),
      after: ['the group has both members', 'add a member a second time'],
    },
    step(
      'remove one member',
      (id) => removeMembersRequest(id('group'), [id('second')], dialect),
      accepted(),
      MEMBERS,
    ),
    {
      ...hasGroupMembers('only that member is removed', 'group', ['first']),
      after: ['the group still has both members', 'remove one member'],
    },
  ]
}

function crewSteps({ crew, dialect, group }: Scene): readonly CheckStep[] {
  const all = crew.map((_, index) => `crew${index + 1}`)
  const removed = all.slice(0, 3)
  const rest = all.slice(3)
  const ids = (objects: readonly string[], id: IdOf) => objects.map(id)
  return [
    {
      title: `create ${all.length} users`,
      steps: crew.map((values, index) =>
        creation(`crew${index + 1}`, 'create a user', () => createRequest('User', values), created({})),
      ),
    },
    creation(
      'crewGroup',
      'create a group for them',
      () =>
        createRequest(
          'Group',
          new Map([...group].map(([path, value]) => [path, `${value} of ${all.length}`])),
        ),
      created({}),
    ),
    step(
      `add ${all.length} members in one request`,
      (id) => addMembersRequest(id('crewGroup'), ids(all, id), dialect),
      accepted(),
      MEMBERS,
    ),
    {
      ...hasGroupMembers(`the group has all ${all.length} members`, 'crewGroup', all),
      after: [`add ${all.length} members in one request`],
    },
    step(
      'remove several members in one request',
      (id) => removeMembersRequest(id('crewGroup'), ids(removed, id), dialect),
      accepted(),
      MEMBERS,
    ),
    {
      ...hasGroupMembers('only those members are removed', 'crewGroup', rest),
      after: [`the group has all ${all.length} members`, 'remove several members in one request'],
    },
  ]
}

function renameSteps(scene: Scene): readonly SingleStep[] {
  const { dialect, group, groupRenamed } = scene
  const changes = changesBetween(group, groupRenamed)
  if (changes.length === 0) return []
  return [
    step('rename the group', (id) => updateRequest('Group', id('group'), changes, dialect), accepted()),
    {
      ...step(
        'read the group without members',
        (id) => readRequest('Group', id('group')),
        hasValues(shown(groupRenamed), ['members']),
        { ...WITHOUT_MEMBERS, value: 'The target keeps wrong data; Entra does not notice' },
      ),
      after: ['rename the group'],
    },
    {
      ...hasGroupMembers('the renamed group keeps its members', 'group', ['first']),
      after: ['memberships survive disabling the user', 'rename the group'],
    },
  ]
}

/**
 * A probe of its own: Microsoft mended the URN in December 2018, but the sample of a group still has it, and a job from
 * before that time sends it.
 */
function groupOf2018({ dialect, group }: Scene): readonly SingleStep[] {
  if (dialect !== 'old') return []
  const displayName = `${String(group.get('displayName'))} of 2018`
  const effect = 'Groups of a job from before December 2018 are not created; later jobs do not send this URN'
  return [
    {
      ...creation(
        'groupOf2018',
        'create a group with the URN of jobs from before 2019',
        () => createGroupOf2018Request(new Map([['displayName', displayName]])),
        atWorst('deviation', created({ displayName })),
      ),
      effects: { refusal: effect, body: effect, id: effect },
    },
  ]
}

/** A step that reads a group with its members. */
export function readGroup(title: string, group: string, effects: Effects): SingleStep {
  return step(title, (id) => groupWithMembers(id(group)), accepted(), effects)
}

function hasGroupMembers(title: string, group: string, objects: readonly string[]): SingleStep {
  return { ...readGroup(title, group, MEMBERS), assertion: (id) => hasMembers(objects.map(id)) }
}

function groupWithMembers(id: string): ScimRequest {
  return { method: 'GET', path: `/Groups/${encodeURIComponent(id)}` }
}

function matchGroup({ group, groupKey }: Scene): SingleStep['request'] {
  return () => matchRequest('Group', groupKey, String(group.get(groupKey)))
}
