/** Parts that the rows of the tests of users and groups share: edits in Entra, queries, and the phase that creates. */
import type { ScimRequest } from '../../protocol/requests.ts'
import type { GalleryTest } from '../gallery-test.ts'
import { findRequest, hasResources } from '../requests.ts'
import { type Phase, type Run, runPhases } from './phases.ts'

/** A test whose run is a list of phases. */
export type PhaseRow = Omit<GalleryTest, 'run' | 'workflow'> & {
  readonly phases: readonly Phase[]
  /** Part of the result of a test that passes. */
  readonly suffix?: string
}

export function testOf({ phases, suffix, ...row }: PhaseRow, workflow: GalleryTest['workflow']): GalleryTest {
  return { ...row, workflow, run: (context) => runPhases(context, phases, suffix) }
}

export const FIND_USER = 'GET /Users?filter=userName eq "…"'
export const FIND_GROUP = 'GET /Groups?filter=displayName eq "…"'

export function findUser({ tenant, subject }: Run): ScimRequest {
  const user = tenant.users.find(({ id }) => id === subject)
  return findRequest('User', user?.userPrincipalName ?? '')
}

export function findGroup({ tenant, subject }: Run): ScimRequest {
  const group = tenant.groups.find(({ id }) => id === subject)
  return findRequest('Group', group?.displayName ?? '')
}

export function editUser(run: Run, changes: Readonly<Record<string, unknown>>): void {
  const user = run.tenant.users.find(({ id }) => id === run.subject)
  if (user !== undefined) Object.assign(user, changes)
}

export function editGroup(run: Run, changes: Readonly<Record<string, unknown>>): void {
  const group = run.tenant.groups.find(({ id }) => id === run.subject)
  if (group !== undefined) Object.assign(group, changes)
}

export function addSubject(run: Run, type: 'User' | 'Group', prefix: string): void {
  run.subject = type === 'User' ? run.tenant.addUser(prefix).id : run.tenant.addGroup(prefix).id
}

/** The phase with which most tests begin. `names`: the actions of the first query, the log, and the last query. */
export function creation(
  type: 'User' | 'Group',
  prefix: string,
  names: readonly [before: string, log: string, scim: string],
): Phase {
  const request = type === 'User' ? findUser : findGroup
  return {
    name: 'Create',
    before: { action: names[0], request },
    edit: (run) => addSubject(run, type, prefix),
    log: { name: names[1], actions: ['Create'] },
    scim: {
      action: names[2],
      request,
      holds: hasResources,
      otherwise: `${type} not found on SCIM server after provisioning`,
    },
  }
}
