/**
 * The tests of Microsoft's validation against a server that passes, and against servers with one fault each. The
 * messages are the validator's.
 */
import { describe, expect, it } from 'vitest'
import { GALLERY_TESTS, galleryVerdict, runGallerySuite } from '../../../src/entra/gallery/suite.ts'
import { type GalleryFault, galleryServer, refuse, type Sent } from '../support/gallery-server.ts'

const on =
  (pattern: RegExp, body = /^/) =>
  (request: Sent) =>
    pattern.test(request.line) && body.test(request.body)
const refuses = (pattern: RegExp, body?: RegExp, status?: number): GalleryFault => {
  const matches = on(pattern, body)
  return { respond: (request) => (matches(request) ? refuse(status) : undefined) }
}
const ignores = (pattern: RegExp, body?: RegExp): GalleryFault => ({ ignores: on(pattern, body) })

type Row = readonly [
  test: string,
  fault: string,
  server: GalleryFault,
  words: string | RegExp,
  outcome?: 'WARNING',
]

const ROWS: readonly Row[] = [
  [
    'Create_User_Test',
    'users cannot be created',
    refuses(/^POST \/Users/, undefined, 400),
    'FAILED - [Create Phase] Provisioning: Verify_Provisioning_Logs: failure | SCIM: SCIM_Query_Created_User: User not found on SCIM server after provisioning',
  ],
  [
    'Create_User_Test',
    'a query without results is answered with 404',
    { respond: ({ line }) => (/filter=userName%20/.test(line) ? refuse(404) : undefined) },
    'FAILED - [Create Phase] Failed Action: Create_User_Initial_Verify_User_Exists',
  ],
  [
    'Update_User_Test',
    'changes of users are accepted and forgotten',
    ignores(/^PATCH \/Users/),
    'FAILED - [Update Phase] Provisioning: Update_User_-_Attribute_Match_Summary: Attribute mismatch: 9 attributes failed | SCIM: success',
  ],
  [
    'Disable_User_Test',
    '"active" cannot be changed',
    refuses(/^PATCH \/Users/, /active/),
    'FAILED - [Disable Phase] Provisioning: DisableUserTest_Disable_Verify_Disable_Provisioning_Logs: failure | SCIM: success',
  ],
  [
    'Delete_User_Test',
    'deleted users remain',
    ignores(/^DELETE \/Users/),
    'FAILED - [Delete Phase] Provisioning: success | SCIM: User still present on SCIM server (statusCode: 200)',
    'WARNING',
  ],
  [
    'User_Update_Manager_Test',
    'managers are refused',
    refuses(/^PATCH \/Users/, /manager/),
    /^FAILED - \[Set Manager Phase\] Provisioning: Verify_Set_Manager_Provisioning_Logs: status=failure, manager newValue=UNKNOWN \(expected \w+\) \| SCIM: success$/,
  ],
  [
    'Restore_User_Test',
    'a disabled user cannot be enabled',
    refuses(/^PATCH \/Users/, /active.*true/),
    'FAILED - [Reassign Phase] Provisioning: RestoreUserTest_Verify_Restore_Provisioning_Logs: failure | SCIM: User not restored on SCIM server after reassign',
  ],
  [
    'POD_User_Test',
    'users cannot be created',
    refuses(/^POST \/Users/),
    'FAILED - Action: POD_SCIM_Get_User - user not found on SCIM endpoint',
  ],
  [
    'POD_User_Test',
    'every query fails',
    refuses(/^GET \/Users/, undefined, 403),
    'FAILED - Action: POD_Provision_On_Demand - HTTP 500',
  ],
  [
    'Create_Group_Test',
    'groups cannot be created',
    refuses(/^POST \/Groups/),
    'FAILED - [Create Phase] Provisioning: Verify_Group_Provisioning_Logs: failure | SCIM: Create_Group_Query_Create_Group: Group not found on SCIM server after provisioning',
  ],
  [
    'Update_Group_Test',
    'a new name is accepted and forgotten',
    ignores(/^PATCH \/Groups/, /displayName/),
    'FAILED - [Update Phase] Provisioning: success | SCIM: Update_Group_Query_Group_By_Id_After_Attributes_Update: Group not found on SCIM server after update',
  ],
  [
    'Delete_Group_Test',
    'deleted groups remain',
    ignores(/^DELETE \/Groups/),
    'FAILED - [Delete Phase] Provisioning: success | SCIM: Group still present on SCIM server',
    'WARNING',
  ],
  [
    'Group_Update_Add_Member_Test',
    'members cannot be added',
    refuses(/^PATCH \/Groups/, /"op":"add"/i),
    'FAILED - [Add Member Phase] Provisioning: Add_Member_Verify_Add_Member_Provisioning_Logs: failure | SCIM: success',
  ],
  [
    'Group_Update_Remove_Member_Test',
    'members cannot be removed',
    refuses(/^PATCH \/Groups/, /"op":"remove"/i),
    'FAILED - [Remove Member Phase] Provisioning: Remove_Member_Verify_Remove_Member_Provisioning_Logs: failure | SCIM: success',
  ],
  [
    'POD_Group_Test',
    'groups cannot be created',
    refuses(/^POST \/Groups/),
    'FAILED - Action: POD_SCIM_Get_Group - group not found on SCIM endpoint',
  ],
  [
    'Restore_Group_Test',
    'groups cannot be deleted',
    refuses(/^DELETE \/Groups/),
    'FAILED - [Unassign Phase] Action: RestoreGroupTest_SCIM_Check_Gone - group still present on SCIM endpoint after unassign',
    'WARNING',
  ],
  [
    'Schema_Discoverability_Test',
    'addresses have no canonical types',
    {
      edit: (body, { line }) => {
        if (line !== 'GET /Schemas') return
        const emails = body.Resources[0].attributes.find(({ name }: { name: string }) => name === 'emails')
        delete emails.subAttributes[0].canonicalValues
      },
    },
    'FAILED - Action: Compose_Schema_Discoverability_Summary - Missing user attrs: ["emails[type eq \\"work\\"].value"] | Missing group attrs: []',
  ],
  [
    'Schema_Discoverability_Test',
    '/Schemas does not exist',
    refuses(/^GET \/Schemas/, undefined, 404),
    'FAILED - Action: SCIM_Get_Schemas - /Schemas endpoint returned HTTP 404',
  ],
  [
    'SCIM_Null_Update_Test',
    'an empty string is refused',
    refuses(/^PATCH \/Users/, /""/),
    'FAILED - Action: SCIM_Patch_Null_Update',
  ],
  [
    'SCIM_Null_Update_Test',
    'null is accepted and forgotten',
    {
      ...ignores(/^PATCH \/Users/, /null/),
    },
    'FAILED - Action: Compose_SCIM_Null_Update_Summary - null update verification failed. Passed: 18/18 attributes',
  ],
  [
    'SCIM_User_Create_Test',
    'the answer to POST has no id',
    { edit: (body, { line }) => line.startsWith('POST /Users') && delete body.id },
    'FAILED - Action: SCIM_Direct_Create_User - HTTP 201. No user id returned.',
  ],
  [
    'SCIM_User_Create_Test',
    'userName is changed to upper case',
    {
      edit: (body, { line }) => {
        if (line.startsWith('POST /Users')) body.userName = body.userName.toUpperCase()
      },
    },
    'FAILED - Action: SCIM_Direct_Create_User - HTTP 201. Returned userName did not match sent userName.',
  ],
  [
    'SCIM_User_Update_Test',
    'changes of users are accepted and forgotten',
    ignores(/^PATCH \/Users/),
    'FAILED - Action: SCIM_Update_Patch_User - HTTP 204. Mismatches=20.',
  ],
  [
    'SCIM_Group_Create_Test',
    'every group is a duplicate',
    refuses(/^POST \/Groups/, undefined, 409),
    'FAILED - Action: SCIM_Direct_Create_Group - HTTP 409. No group id returned. Returned displayName did not match sent displayName. detail=refused by the fault',
  ],
  [
    'SCIM_Group_Update_Test',
    'externalId of groups is not stored',
    { edit: (body, { line }) => line.startsWith('GET /Groups/') && delete body.externalId },
    'FAILED - Action: SCIM_GroupUpdate_Patch_Group - HTTP 204. Mismatches=1',
  ],
  [
    'Validate_Credentials_Test',
    'expires_in is a second too short',
    { expiresIn: 3599 },
    'FAILED - Action: Check_Token_Validity_Range - Token validity is less than 60 minutes. Minimum required: 60 minutes.',
  ],
  [
    'Validate_Credentials_Test',
    'expires_in is a minute too long',
    { expiresIn: 21_660 },
    'FAILED - Action: Check_Token_Validity_Range - Token validity exceeds 360 minutes (6 hours). Maximum allowed: 360 minutes.',
  ],
  [
    'Validate_Credentials_Test',
    'expires_in is a text',
    { expiresIn: '3600' },
    'FAILED - Action: Acquire_OAuth2_Token - Unexpected failure',
  ],
  [
    'Validate_Credentials_Test',
    'the token endpoint is down',
    refuses(/^POST token/, undefined, 503),
    'FAILED - Action: Acquire_OAuth2_Token - Token endpoint returned HTTP 503. Expected 2xx.',
  ],
  [
    'Federated_Identity_Test',
    'unknown parameters are refused',
    refuses(/^POST token/, /baseAddress/),
    'Federated token exchange failed',
  ],
  [
    'SCIM_User_Pagination_Test',
    'startIndex is always 1',
    { edit: (body) => 'startIndex' in body && Object.assign(body, { startIndex: 1 }) },
    'FAILED - Action: Filter_User_Pagination_Failed_Pages - Pages=10 failedPages=9',
  ],
  [
    'SCIM_Group_Pagination_Test',
    'startIndex is missing',
    { edit: (body) => delete body.startIndex },
    'FAILED - Action: Filter_Group_Pagination_Failed_Pages - Pages=10 failedPages=10',
    'WARNING',
  ],
  [
    'SCIM_Update_Manager_Test',
    'managers are accepted and forgotten',
    ignores(/^PATCH \/Users/, /manager/),
    'FAILED - Action: SCIM_Manager_Get_After_Set - Manager value not set correctly after PATCH',
  ],
  [
    'SCIM_Update_Manager_Test',
    'a manager cannot be removed',
    ignores(/^PATCH \/Users/, /manager","value":""/),
    'FAILED - Action: SCIM_Manager_Get_After_Remove - Manager value not removed after null PATCH',
  ],
]

async function run(fault: GalleryFault, enabled?: readonly string[]) {
  const { oauth, ...options } = await galleryServer(fault)
  const results = await runGallerySuite({ ...options, ...(enabled === undefined ? {} : { enabled }) })
  return { results, oauth }
}

describe('Microsoft’s validation', () => {
  it('passes for a right server and leaves nothing there', async () => {
    const { results, oauth } = await run({})
    expect(results.filter(({ outcome, remark }) => outcome !== 'PASSED' || remark !== undefined)).toEqual([])
    expect(galleryVerdict(results)).toEqual({ overall: 'Succeeded', reasons: [] })
    expect([...oauth.store.users.values(), ...oauth.store.groups.values()]).toEqual([])
  })

  it.for(ROWS)('%s fails if %s', async ([name, , fault, words, outcome = 'FAILED']) => {
    const { results } = await run(fault, [name])
    expect(results.map((result) => [result.outcome, result.words])).toEqual([
      [outcome, typeof words === 'string' ? words : expect.stringMatching(words)],
    ])
  })

  it('has a faulty server for each of the 25 tests', () => {
    const names = GALLERY_TESTS.map(({ name }) => name)
    expect(names).toHaveLength(25)
    expect(names.filter((name) => !ROWS.some(([test]) => test === name))).toEqual([])
  })

  it('fails every mandatory test of groups if /Schemas has no groups, and skips the optional ones', async () => {
    const { results } = await run({
      edit: (body, { line }) => line === 'GET /Schemas' && body.Resources.pop(),
    })
    const groups = results.filter(({ test }) => test.needs === 'groups')
    const words =
      'FAILED - [Initialization Phase] Schema_Discovery - /Schemas did not return Group schema. Group provisioning is mandatory.'
    for (const { test, ...result } of groups)
      expect(result).toMatchObject(
        test.category === 'mandatory' ? { outcome: 'FAILED', words } : { outcome: 'SKIPPED' },
      )
    expect(groups).toHaveLength(10)
  })

  it('fails without one of the two ways to authenticate', async () => {
    const { oauth: _oauth, clientCredentials, federation, ...options } = await galleryServer()
    const enabled = ['Validate_Credentials_Test', 'Federated_Identity_Test']
    const verdictOf = async (grants: object) =>
      galleryVerdict(await runGallerySuite({ ...options, ...grants, enabled })).overall
    expect(await verdictOf({})).toBe('Failed')
    expect(await verdictOf({ clientCredentials })).toBe('Succeeded')
    expect(await verdictOf({ federation })).toBe('Succeeded')
  })

  it('tells what the validator does not say: a member that was never added, a user that stays active', async () => {
    const { results } = await run(
      { ignores: ({ line, body }) => line.startsWith('PATCH') && /members|active/.test(body) },
      ['Group_Update_Add_Member_Test', 'Disable_User_Test'],
    )
    expect(results.map(({ outcome, remark }) => [outcome, remark])).toEqual([
      ['PASSED', expect.stringContaining('not returned with "active": false')],
      ['PASSED', expect.stringContaining('not returned with its member')],
    ])
  })
})
