/**
 * The seven tests of groups through the provisioning service, as rows. The actions and messages are those of
 * GroupTests_Workflow.json; `notConfirmed` names the details that were not found there.
 */
import type { GalleryTest } from '../gallery-test.ts'
import { findRequest, hasResources, isListed } from '../requests.ts'
import { provisionGroupOnDemand } from './on-demand.ts'
import {
  addSubject,
  creation,
  editGroup,
  FIND_GROUP,
  findGroup,
  type PhaseRow,
  testOf,
} from './phase-rows.ts'
import type { Phase, Run, ScimCheck } from './phases.ts'

/** The member can be seen in the body of a group only if the endpoint returns members for a query. */
function showsMember(run: Run, body: unknown): boolean {
  const member = run.tenant.targetIdOf(run.others.member ?? '')
  return member !== undefined && JSON.stringify(body).includes(member)
}

const groupFound: Omit<ScimCheck, 'action'> = {
  request: findGroup,
  holds: hasResources,
  otherwise: 'Member not found in group on SCIM server after add member',
}

/** A group with a user who becomes, or is, its member. */
function groupAndUser(prefix: string, isMember: boolean, names: readonly [string, string, string]): Phase {
  const phase = creation('Group', prefix, names)
  const edit = (run: Run) => {
    addSubject(run, 'Group', prefix)
    run.others.member = run.tenant.addUser('lasmember').id
    if (isMember) editGroup(run, { members: [run.others.member] })
  }
  return { ...phase, edit }
}

/** Restore tests name the failed check alone. */
function restoreGroupWords(action: string, what: string): NonNullable<Phase['words']> {
  return ({ phase }) => `[${phase} Phase] Action: RestoreGroupTest_SCIM_Check_${action} - ${what}`
}

const ROWS: readonly PhaseRow[] = [
  {
    name: 'Create_Group_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Groups', FIND_GROUP],
    passes: 'the log has a Create with "success", and the group is found',
    phases: [
      creation('Group', 'LASCreateGroup', [
        'Create_Group_Initial_Verify_Group_Exists',
        'Verify_Group_Provisioning_Logs',
        'Create_Group_Query_Create_Group',
      ]),
    ],
  },
  {
    name: 'Update_Group_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Groups', 'PATCH /Groups/{id} (displayName)', FIND_GROUP],
    passes: 'the log has an Update with "success", and the group is found by its new name',
    phases: [
      creation('Group', 'LASUpdateGroup', [
        'Update_Group_Initial_Verify_Group_Exists',
        'Update_Group_Verify_Create_Provisioning',
        'Update_Group_Verify_Group_Created',
      ]),
      {
        name: 'Update',
        edit: (run) => {
          const name = run.tenant.groups.find(({ id }) => id === run.subject)?.displayName
          editGroup(run, { displayName: `${name}-Modified`, description: 'Updated Test Group Description' })
        },
        log: { name: 'Update_Group_Verify_Update_Provisioning', actions: ['Update'] },
        scim: {
          action: 'Update_Group_Query_Group_By_Id_After_Attributes_Update',
          request: findGroup,
          holds: hasResources,
          otherwise: 'Group not found on SCIM server after update',
        },
      },
    ],
  },
  {
    name: 'Delete_Group_Test',
    category: 'optional',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Groups', 'DELETE /Groups/{id}', FIND_GROUP],
    passes: 'the log has a Delete with "success", and the group is not found',
    notConfirmed: 'the wording of the second phase',
    phases: [
      creation('Group', 'LASDeleteGroup', [
        'Delete_Step1_Check_Group_Exists',
        'Delete_Group_Verify_Create_Provisioning_Logs',
        'Delete_Step3_Check_Group',
      ]),
      {
        name: 'Delete',
        edit: (run) => {
          run.others.name = run.tenant.groups.find(({ id }) => id === run.subject)?.displayName ?? ''
          run.tenant.removeGroup(run.subject)
        },
        log: { name: 'Delete_Group_Verify_Delete_Provisioning_Logs', actions: ['Delete'] },
        scim: {
          action: '',
          request: ({ others }) => findRequest('Group', others.name ?? ''),
          holds: ({ ok, body }) => ok && !isListed(body),
          otherwise: 'Group still present on SCIM server',
        },
      },
    ],
  },
  {
    name: 'Group_Update_Add_Member_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Users', 'POST /Groups', 'PATCH /Groups/{id} (add member)', FIND_GROUP],
    passes: 'the log has an Update of the members, with the id of the user',
    notConfirmed: 'the name of the second phase in the result',
    phases: [
      groupAndUser('LASMemberGroup', false, [
        'Add_Step1_Check_Group_Exists',
        'Add_Member_Verify_Group_Create_Provisioning_Logs',
        'Add_Step4_Check_Group_And_User',
      ]),
      {
        name: 'Add Member',
        edit: (run) => editGroup(run, { members: [run.others.member] }),
        log: {
          name: 'Add_Member_Verify_Add_Member_Provisioning_Logs',
          actions: ['Update'],
          property: 'members',
        },
        scim: { ...groupFound, action: 'Add_Step6_Query_Group_With_Members' },
        waits: {
          request: findGroup,
          holds: ({ body }, run) => showsMember(run, body),
          otherwise: 'the group is not returned with its member; the validator waits for it and goes on',
        },
      },
    ],
  },
  {
    name: 'Group_Update_Remove_Member_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Users', 'POST /Groups', 'PATCH /Groups/{id} (remove member)', FIND_GROUP],
    passes: 'the log has an Update of the members, with the id of the user as old value',
    notConfirmed: 'the wording of the second phase',
    phases: [
      groupAndUser('LASRemoveGroup', true, [
        'Remove_Step1_Check_Group_Exists',
        'Remove_Member_Verify_Group_Create_Provisioning_Logs',
        'Remove_Step4a_Check_Group_With_Member',
      ]),
      {
        name: 'Remove Member',
        edit: (run) => editGroup(run, { members: [] }),
        log: {
          name: 'Remove_Member_Verify_Remove_Member_Provisioning_Logs',
          actions: ['Update'],
          property: 'members',
        },
        scim: { ...groupFound, action: 'Remove_Step7_Query_Group_By_Id' },
        waits: {
          request: findGroup,
          holds: ({ body }, run) => !showsMember(run, body),
          otherwise:
            'the group is still returned with the member; the validator waits 60 minutes and goes on',
        },
      },
    ],
  },
  {
    name: 'Restore_Group_Test',
    category: 'optional',
    needs: 'groups',
    requests: [FIND_GROUP, 'POST /Groups', 'DELETE /Groups/{id}', 'POST /Groups', FIND_GROUP],
    passes: 'the group is gone without its assignment, and back with it',
    suffix: 'UnassignReassign',
    phases: [
      {
        ...creation('Group', 'LASRestoreGroup', [
          'RestoreGroupTest_Check_Group',
          'RestoreGroupTest_Get_Create_Log',
          'RestoreGroupTest_SCIM_Check_Created',
        ]),
        words: restoreGroupWords('Created', 'group not found on SCIM endpoint after provisioning'),
      },
      {
        name: 'Unassign',
        edit: (run) => editGroup(run, { assigned: false }),
        log: { name: 'RestoreGroupTest_Get_Delete_Log', actions: ['Delete'] },
        scim: {
          action: '',
          request: findGroup,
          holds: ({ ok, body }) => ok && !isListed(body),
          otherwise: '',
        },
        words: restoreGroupWords('Gone', 'group still present on SCIM endpoint after unassign'),
      },
      {
        name: 'Reassign',
        edit: (run) => editGroup(run, { assigned: true }),
        log: { name: 'RestoreGroupTest_Get_Restore_Log', actions: ['Create'] },
        scim: { action: '', request: findGroup, holds: hasResources, otherwise: '' },
        words: restoreGroupWords('Restored', 'group not restored on SCIM endpoint after reassign'),
      },
    ],
  },
]

const ON_DEMAND: GalleryTest = {
  name: 'POD_Group_Test',
  category: 'mandatory',
  needs: 'groups',
  requests: ['POST /Groups, by provision on demand', FIND_GROUP],
  passes: 'provisionOnDemand succeeds, the group is found, and the log has a Create',
  workflow: 'GroupTests_Workflow.json',
  run: provisionGroupOnDemand,
}

const tests = ROWS.map((row) => testOf(row, 'GroupTests_Workflow.json'))

/** In the order of Microsoft's inventory, where the test on demand comes before the one that restores. */
export const GROUP_TESTS: readonly GalleryTest[] = [...tests.slice(0, -1), ON_DEMAND, ...tests.slice(-1)]
