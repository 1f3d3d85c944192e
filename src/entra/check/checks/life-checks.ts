/** The checks about disabling, enabling, deleting and listing users. */
import {
  addMembersRequest,
  createRequest,
  deleteRequest,
  pageRequest,
  readRequest,
} from '../../protocol/requests.ts'
import {
  accepted,
  created,
  deleted,
  hasMembers,
  hasNoMember,
  hasValues,
  listOf,
  notFound,
  page,
} from '../assertions.ts'
import { atWorst } from '../findings.ts'
import type { Scene } from '../scene.ts'
import {
  type CheckDefinition,
  creation,
  type Effects,
  entraPage,
  rfc,
  type SingleStep,
  step,
} from './check-definition.ts'
import { readGroup } from './group-checks.ts'
import { changeUser, matchUser, NAME_STORED } from './user-checks.ts'

const LOST = 'Entra loses the link to the disabled user: it logs InvalidAnchor'
const STILL_ACTIVE = 'The account can still be used; Entra does not notice'

export const LIFE_CHECKS: readonly CheckDefinition[] = [
  {
    name: 'disable-user',
    what: 'a disabled user can be read and found with "active" false, and is enabled again',
    why: 'Entra disables users who leave the scope, and enables them when they return',
    source: entraPage('use-scim-to-provision-users-and-groups#disable-user'),
    needs: ['users'],
    steps: disableSteps,
  },
  {
    name: 'memberships-while-disabled',
    what: 'a user keeps its memberships while it is disabled',
    why: 'Entra does not send memberships again: the user is missing from its groups',
    source: entraPage('how-provisioning-works#deprovisioning'),
    needs: ['users', 'groups'],
    steps: ({ first, firstDisabled, firstRenamed }) =>
      first.has('active') && firstDisabled !== firstRenamed
        ? [
            {
              ...readGroup('memberships survive disabling the user', 'group', {
                missing: 'Entra does not send memberships again: the user is missing from its groups',
              }),
              assertion: (id) => hasMembers([id('first')]),
              after: ['only that member is removed', 'disable the user', 'enable the user'],
            },
          ]
        : [],
  },
  {
    name: 'delete-user',
    what: 'a deleted user answers 404 and is not found, its name is free, and other users remain',
    why: 'Entra deletes users 30 days after they were deleted in Entra',
    source: rfc(7644, '3.6'),
    needs: ['users'],
    steps: deleteSteps,
  },
  {
    name: 'deleted-member',
    what: 'a group does not list a deleted user',
    why: 'The group lists a member that does not exist; Entra does not notice',
    source: rfc(7643, '4.2'),
    needs: ['users', 'groups'],
    steps: deletedMemberSteps,
  },
  {
    name: 'pages',
    what: 'users are listed in pages with the requested length, without repetition',
    why: 'Account discovery reads all users in pages',
    source: rfc(7644, '3.4.2.4'),
    needs: ['users'],
    steps: pageSteps,
  },
]

function disableSteps(scene: Scene): readonly SingleStep[] {
  const { firstDisabled, firstRenamed } = scene
  const disabling = changeUser(scene, 'first', {
    title: 'disable the user',
    before: firstRenamed,
    after: firstDisabled,
  })
  if (disabling.length === 0) return []
  const disabled: Effects = { refusal: LOST, missing: LOST, value: STILL_ACTIVE }
  const enabling = { title: 'enable the user', before: firstDisabled, after: firstRenamed }
  const after = ['disable the user']
  return [
    ...withEffects(disabling, { refusal: 'The account can still be used; Entra tries again' }),
    { ...readActive('a disabled user can be read', false, disabled), after },
    {
      ...step(
        'a disabled user can be found',
        matchUser(scene, firstDisabled),
        listOf(1, { active: false }),
        disabled,
      ),
      after: [...after, NAME_STORED],
    },
    ...withEffects(changeUser(scene, 'first', enabling), {
      refusal: 'The account cannot be used; Entra tries again',
    }),
    {
      ...readActive('an enabled user is active', true, {
        value: 'The account cannot be used; Entra does not notice',
      }),
      after: ['enable the user'],
    },
  ]
}

function readActive(title: string, active: boolean, effects: Effects): SingleStep {
  return step(title, (id) => readRequest('User', id('first')), hasValues({ active }), effects)
}

function withEffects(steps: readonly SingleStep[], effects: Effects): readonly SingleStep[] {
  return steps.map((each) => ({ ...each, effects }))
}

function deleteSteps(scene: Scene): readonly SingleStep[] {
  const { secondComplete, userKey } = scene
  const after = ['delete a user']
  return [
    step('delete a user', (id) => deleteRequest('User', id('second')), deleted(), {
      refusal: 'The account is not removed; Entra tries again',
    }),
    {
      ...step('a deleted user cannot be read', (id) => readRequest('User', id('second')), notFound(), {
        consent: 'The account is not removed; Entra does not notice',
        refusal: 'Entra retries the user as after any error, and does not recognize that it is gone',
      }),
      after,
    },
    {
      ...step('a deleted user cannot be found', matchUser(scene, secondComplete), listOf(0), {
        surplus: 'A new user with that name is linked to the deleted account',
      }),
      after,
    },
    {
      ...step(
        'delete a user that does not exist',
        (id) => deleteRequest('User', id('second')),
        // Entra takes success and 404 alike.
        atWorst('deviation', notFound()),
        { refusal: 'Entra retries the deletion as after any error' },
      ),
      after,
    },
    {
      ...creation(
        'successor',
        'create a new user with the old name',
        () => createRequest('User', secondComplete),
        created({ [userKey]: secondComplete.get(userKey) }),
      ),
      after,
    },
    step('another user remains', (id) => readRequest('User', id('first')), hasValues({}), {
      refusal: 'Deleting one user deletes another one',
    }),
  ]
}

function deletedMemberSteps({ dialect }: Scene): readonly SingleStep[] {
  const added = 'add the new user to the group'
  const removed = 'delete the new user'
  return [
    step(added, (id) => addMembersRequest(id('group'), [id('successor')], dialect), accepted()),
    step(removed, (id) => deleteRequest('User', id('successor')), deleted()),
    {
      ...readGroup('a deleted user is not a member', 'group', {
        surplus: 'The group lists a member that does not exist; Entra does not notice',
      }),
      assertion: (id) => hasNoMember(id('successor')),
      after: [added, removed],
    },
  ]
}

const PAGE = 2

function pageSteps(): readonly SingleStep[] {
  const listed = { ids: new Set<unknown>(), totalResults: 1 }
  const from = (title: string, startIndex: () => number): SingleStep => ({
    ...step(title, () => pageRequest('User', startIndex(), PAGE), accepted(), PAGING),
    assertion: () => page(startIndex(), PAGE, listed),
  })
  return [
    from('account discovery: first page', () => 1),
    from('account discovery: second page', () => 1 + PAGE),
    from('account discovery: last user', () => Math.max(1 + 2 * PAGE, listed.totalResults)),
  ]
}

const PAGING: Effects = {
  refusal: 'Account discovery fails',
  body: 'Account discovery fails',
  missing: 'Account discovery does not find all users',
  surplus: 'Account discovery finds users twice, or reads more than it asked for',
  form: 'Account discovery may end too early',
}
