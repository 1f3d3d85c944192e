/**
 * The seven tests of users through the provisioning service, as rows. The actions and messages are those of
 * UserTests_Workflow.json; `notConfirmed` names the details that were not found there.
 */
import { DAY_MS } from '../../clock.ts'
import type { ScimRequest } from '../../protocol/requests.ts'
import { managerPath, UPDATED_PROPERTIES } from '../gallery-job.ts'
import type { GalleryTest } from '../gallery-test.ts'
import { isListed, patchRequest } from '../requests.ts'
import { mismatchedAttributes } from './attribute-match.ts'
import { provisionUserOnDemand } from './on-demand.ts'
import { creation, editUser, FIND_USER, findUser, type PhaseRow, testOf } from './phase-rows.ts'
import type { Phase, Run } from './phases.ts'

function readUser({ tenant, subject }: Run): ScimRequest {
  return { method: 'GET', path: `/Users/${encodeURIComponent(tenant.targetIdOf(subject) ?? 'UNKNOWN')}` }
}

function editManager(part: string): (run: Run) => void {
  return (run) => {
    run.others[part] ??= run.tenant.addUser(`lasmgr${part}`).id
    editUser(run, { manager: run.others[part] })
  }
}

function managerPhase(name: string, part: string, log: string): Phase {
  return {
    name,
    edit: editManager(part),
    log: {
      ...{ name: log, actions: ['Update'], property: 'manager' },
      newValue: (run) => run.tenant.targetIdOf(run.others[part] ?? ''),
    },
    waits: {
      request: findUser,
      holds: ({ body }, run) =>
        JSON.stringify(body).includes(run.tenant.targetIdOf(run.others[part] ?? '') ?? 'UNKNOWN'),
      otherwise:
        'the user is not returned with its manager; the validator waits 20 minutes for it and goes on',
    },
  }
}

const ROWS: readonly PhaseRow[] = [
  {
    name: 'Create_User_Test',
    category: 'mandatory',
    requests: [FIND_USER, 'POST /Users', FIND_USER],
    passes: 'the log has a Create with "success", and the user is found',
    phases: [
      creation('User', 'lascreate', [
        'Create_User_Initial_Verify_User_Exists',
        'Verify_Provisioning_Logs',
        'SCIM_Query_Created_User',
      ]),
    ],
  },
  {
    name: 'Update_User_Test',
    category: 'mandatory',
    requests: [FIND_USER, 'POST /Users', 'PATCH /Users/{id}', 'GET /Users/{id}'],
    passes: 'the log has an Update with "success", and every changed attribute has its new value',
    phases: [
      creation('User', 'lasupdate', [
        'Update_User_-_Initial_Verify_User_Exists',
        'Update_Verify_Create_Provisioning_Logs',
        'Update_User_Verify_User_Created',
      ]),
      {
        name: 'Update',
        edit: (run) => editUser(run, UPDATED_PROPERTIES),
        log: { name: 'Update_Verify_Update_Provisioning_Logs', actions: ['Update'] },
        scim: {
          action: 'Update_User_-_Attribute_Match_Summary',
          request: readUser,
          holds: (reply, run) => mismatchedAttributes(reply.body, run) === 0,
          otherwise: ({ body }, run) =>
            `Attribute mismatch: ${mismatchedAttributes(body, run)} attributes failed`,
        },
        words: ({ provisioning, scim }) =>
          provisioning === 'success'
            ? `[Update Phase] Provisioning: ${scim} | SCIM: success`
            : `[Update Phase] Provisioning: ${provisioning} | SCIM: ${scim}`,
      },
    ],
  },
  {
    name: 'Disable_User_Test',
    category: 'mandatory',
    requests: [FIND_USER, 'POST /Users', 'PATCH /Users/{id} (active: false)', FIND_USER],
    passes: 'the log has a Disable with "success"',
    notConfirmed: 'the wording of the second phase',
    phases: [
      {
        ...creation('User', 'lasdisable', [
          'DisableUserTest_Disable_Step1_Check_User_Exists',
          'DisableUserTest_Disable_Verify_Create_Provisioning_Logs',
          'DisableUserTest_Disable_Step3_Check_User',
        ]),
      },
      {
        name: 'Disable',
        edit: (run) => editUser(run, { accountEnabled: false }),
        log: { name: 'DisableUserTest_Disable_Verify_Disable_Provisioning_Logs', actions: ['Disable'] },
        waits: {
          request: findUser,
          holds: ({ body }) => isListed(body, ({ active }) => active === false),
          otherwise:
            'the user is not returned with "active": false; the validator waits 20 minutes for it and goes on',
        },
      },
    ],
  },
  {
    name: 'Delete_User_Test',
    category: 'optional',
    requests: [FIND_USER, 'POST /Users', 'DELETE /Users/{id}', 'GET /Users/{id}'],
    passes: 'the log has a Delete with "success", and reading the user gives 404',
    phases: [
      creation('User', 'lasdelete', [
        'DeleteUser_Check_User_Exists',
        'DeleteUser_Verify_Provisioning_Logs',
        'DeleteUser_Check_User_Synced',
      ]),
      {
        name: 'Delete',
        edit: (run) => {
          run.others.targetId = run.tenant.targetIdOf(run.subject) ?? ''
          const deletedDateTime = new Date(run.context.clock.now() - 31 * DAY_MS).toISOString()
          editUser(run, { deletedDateTime })
        },
        log: { name: 'DeleteUser_Verify_Delete_Provisioning_Logs', actions: ['Delete'] },
        scim: {
          action: '',
          request: ({ others }) => ({
            method: 'GET',
            path: `/Users/${encodeURIComponent(others.targetId ?? '')}`,
          }),
          holds: ({ status }) => status === 404,
          otherwise: ({ status }) => `User still present on SCIM server (statusCode: ${status})`,
        },
      },
    ],
  },
  {
    name: 'User_Update_Manager_Test',
    category: 'mandatory',
    needs: 'manager',
    requests: [FIND_USER, 'POST /Users', 'PATCH /Users/{id} (manager: set, changed, removed)', FIND_USER],
    passes: 'the log has an Update of the manager for each of the three changes',
    notConfirmed:
      'the names of the phases in the result, and what the service sends when a manager is removed: the suite replaces it with ""',
    phases: [
      {
        ...creation('User', 'lasmanaged', [
          'Step1_Check_User_Exists',
          'Verify_Create_Provisioning_Logs',
          'SCIM_Query_Test_User',
        ]),
      },
      managerPhase('Set Manager', 'first', 'Verify_Set_Manager_Provisioning_Logs'),
      managerPhase('Change Manager', 'second', 'Verify_Change_Manager_Provisioning_Logs'),
      {
        name: 'Remove Manager',
        edit: (run) => editUser(run, { manager: undefined }),
        log: { name: 'Verify_Remove_Manager_Provisioning_Logs', actions: ['Update'] },
        send: async ({ tenant, subject, context }) => {
          const operation = { op: 'replace', path: managerPath(context.job), value: '' }
          const request = patchRequest('User', tenant.targetIdOf(subject) ?? 'UNKNOWN', [operation])
          return (await context.session.sendAsService('update', request)).ok
        },
      },
    ],
  },
  {
    name: 'Restore_User_Test',
    category: 'mandatory',
    requests: [FIND_USER, 'POST /Users', 'PATCH /Users/{id} (active: false, then true)', FIND_USER],
    passes: 'the user is disabled or gone without its assignment, and back with it',
    notConfirmed: 'the wording of the second phase',
    suffix: 'SoftDeleteRestore',
    phases: [
      {
        ...creation('User', 'lasrestore', [
          'RestoreUserTest_Check_User_Exists',
          'RestoreUserTest_Verify_Create_Provisioning_Logs',
          'RestoreUserTest_Check_User',
        ]),
      },
      {
        name: 'Unassign',
        edit: (run) => editUser(run, { assigned: false }),
        log: { name: 'RestoreUserTest_Verify_Delete_Provisioning_Logs', actions: ['Disable', 'Delete'] },
        scim: {
          action: '',
          request: findUser,
          holds: ({ body, ok }) =>
            ok && (!isListed(body) || isListed(body, ({ active }) => active === false)),
          otherwise: 'User still present on SCIM server after unassign',
        },
      },
      {
        name: 'Reassign',
        edit: (run) => editUser(run, { assigned: true }),
        log: { name: 'RestoreUserTest_Verify_Restore_Provisioning_Logs', actions: ['Create', 'Update'] },
        scim: {
          action: '',
          request: findUser,
          holds: ({ body }) => isListed(body, ({ active }) => active !== false),
          otherwise: 'User not restored on SCIM server after reassign',
        },
      },
    ],
  },
]

const ON_DEMAND: GalleryTest = {
  name: 'POD_User_Test',
  category: 'mandatory',
  requests: ['POST /Users, by provision on demand', FIND_USER],
  passes: 'provisionOnDemand succeeds, the user is found, and the log has a Create',
  workflow: 'UserTests_Workflow.json',
  run: provisionUserOnDemand,
}

export const USER_TESTS: readonly GalleryTest[] = [
  ...ROWS.map((row) => testOf(row, 'UserTests_Workflow.json')),
  ON_DEMAND,
]
