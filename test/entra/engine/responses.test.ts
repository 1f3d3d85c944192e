/**
 * The effect of each response on the object and on the job, tested against a misbehaving endpoint.
 *
 * Microsoft: "How to analyze the Microsoft Entra provisioning logs", "Quarantine status in Microsoft Entra Application
 * Provisioning".
 */
import { describe, expect, it } from 'vitest'
import { type JobRun, runJob } from '../../../src/entra/engine/provisioning-job.ts'
import { JobHarness } from '../support/job-harness.ts'
import { error, json, type Misbehaviour } from '../support/scim-store.ts'

const PERSON = { id: 'p', userPrincipalName: 'p@quillfern.example', displayName: 'P', mailNickname: 'p' }

function harness(): JobHarness {
  return new JobHarness({ users: [{ ...PERSON }], groups: [] })
}

function run(job: JobHarness): Promise<JobRun> {
  job.log.length = 0
  return runJob(job.context(), { notify: async () => undefined, ignoreWait: true })
}

const isProbe = (path: string) => path.includes('00000000-0000-4000-8000-')
const html = () =>
  new Response('<!DOCTYPE html><title>Sign in</title>', {
    status: 200,
    headers: { 'content-type': 'text/html' },
  })
const never = () => new Promise<Response>(() => undefined)

/** Answers one kind of request; the store answers the others. */
function only(fits: (line: string) => boolean, answer: () => Response | Promise<Response>): Misbehaviour {
  return ({ method, path }) => (!isProbe(path) && fits(`${method} ${path}`) ? answer() : undefined)
}

describe('match', () => {
  const two = () => json(200, { Resources: [{ id: 'a' }, { id: 'b' }], totalResults: 2 })
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['more than one', two, 'DuplicateTargetEntries'],
    ['404', () => error(404, 'none'), 'SystemForCrossDomainIdentityManagementServiceIncompatible'],
    [
      '400',
      () => error(400, 'filter?'),
      'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering',
    ],
    [
      '501',
      () => error(501, 'filter?'),
      'SystemForCrossDomainIdentityManagementServiceIncompatibleFiltering',
    ],
    ['403', () => error(403, 'no'), 'InsufficientRights'],
    ['500', () => error(500, 'oops'), 'InternalServerError'],
    ['503', () => new Response('', { status: 503 }), 'InternalServerError'],
    ['HTML', html, 'SystemForCrossDomainIdentityManagementServiceIncompatible'],
    [
      'an empty body',
      () => new Response('', { status: 200 }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      'a truncated body',
      () => new Response('{"Resources":[{"id":', { status: 200 }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      'a list instead of an object',
      () => json(200, []),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      'Resources of the wrong type',
      () => json(200, { Resources: 'none' }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      'numeric ids',
      () => json(200, { Resources: [{ id: 7 }] }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      'a redirect',
      () => new Response('', { status: 302, headers: { location: '/login' } }),
      'WebExceptionProtocolError',
    ],
    ['a timeout', never, 'Timeout'],
    [
      'a broken connection',
      () => Promise.reject(new TypeError('socket hang up')),
      'WebExceptionProtocolError',
    ],
  ])('fails the object on %s', async (_what, answer, code) => {
    const job = harness()
    job.store.misbehave = only((line) => line.startsWith('GET /Users?'), answer)
    const result = await run(job)
    expect(result.kind).toBe('ran')
    expect(job.log.map(({ statusInfo }) => statusInfo.errorCode)).toEqual([code])
    expect(Object.values(job.state.escrow)).toMatchObject([
      { objectId: 'p', kind: 'entry', attempts: 1, code },
    ])
    expect(job.store.users.size).toBe(0)
  })

  it('fails both of two objects that find the same target', async () => {
    const job = new JobHarness({
      users: [{ ...PERSON }, { ...PERSON, id: 'q', userPrincipalName: 'q@quillfern.example' }],
      groups: [],
    })
    job.store.misbehave = only(
      (line) => line.startsWith('GET /Users?'),
      () => json(200, { Resources: [{ id: 'same', userName: 'x' }] }),
    )
    await run(job)
    expect(job.log.at(-1)?.statusInfo.errorCode).toBe('DuplicateSourceEntries')
  })

  it('queries the next matching attribute only when the previous one finds no object', async () => {
    const job = harness()
    const externalId = { target: 'externalId', type: 'direct', source: 'mailNickname', matching: 2 } as const
    const others = job.job.users.attributeMappings.filter(({ target }) => target !== 'externalId')
    job.job = { ...job.job, users: { ...job.job.users, attributeMappings: [externalId, ...others] } }
    job.store.users.set('x', { id: 'x', userName: 'other', externalId: 'p', active: true })
    const sent = await job.requestsOfCycle()
    expect(sent.slice(0, 3).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /Users?filter=userName+eq+%22p%40quillfern.example%22',
      'GET /Users?filter=externalId+eq+%22p%22',
      'PATCH /Users/x',
    ])
  })
})

describe('create', () => {
  it.each<[string, () => Response | Promise<Response>, string]>([
    ['409', () => error(409, 'taken', 'uniqueness'), 'EntryConflict'],
    ['400', () => error(400, 'bad', 'invalidValue'), 'SystemForCrossDomainIdentityManagementBadRequest'],
    ['422', () => error(422, 'bad'), 'UnprocessableEntity'],
    ['413', () => error(413, 'large'), 'SystemForCrossDomainIdentityManagementBadRequest'],
    ['405', () => error(405, 'no'), 'MethodNotAllowed'],
    ['500', () => error(500, 'oops'), 'InternalServerError'],
    [
      '201 without an id',
      () => json(201, { userName: 'p' }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
    [
      '201 with an empty body',
      () => new Response('', { status: 201 }),
      'SystemForCrossDomainIdentityManagementServiceIncompatible',
    ],
  ])('fails the object on %s and starts the retry with a match', async (_what, answer, code) => {
    const job = harness()
    job.store.misbehave = only((line) => line.startsWith('POST'), answer)
    await run(job)
    expect(job.log.map(({ action, statusInfo }) => [action, statusInfo.errorCode])).toEqual([
      ['Create', code],
    ])
    job.store.misbehave = () => undefined
    job.retryAll = true
    const sent = await job.requestsOfCycle()
    expect(sent.map(({ method }) => method)).toEqual(['GET', 'POST'])
    expect(job.state.escrow).toEqual({})
  })

  it('logs the detail that the endpoint sent', async () => {
    const job = harness()
    job.store.misbehave = only(
      (line) => line.startsWith('POST'),
      () => error(400, 'userName is too long', 'invalidValue'),
    )
    await run(job)
    expect(job.log[0]?.statusInfo.reason).toBe('HTTP 400 invalidValue: userName is too long')
  })
})

describe('update and delete', () => {
  async function linked(): Promise<JobHarness> {
    const job = harness()
    await run(job)
    Object.assign(job.user('p'), { displayName: 'Changed' })
    return job
  }

  it('fails with InvalidAnchor for a dead link until a restart matches the object again', async () => {
    const job = await linked()
    job.store.users.clear()
    await run(job)
    expect(job.log[0]?.statusInfo.errorCode).toBe('InvalidAnchor')
    job.retryAll = true
    await run(job)
    expect(job.log[0]?.statusInfo.errorCode).toBe('InvalidAnchor')
    job.state.initial = true
    await run(job)
    expect(job.log[0]?.action).toBe('Create')
    expect(job.store.users.size).toBe(1)
  })

  it.each<[string, () => Response, string]>([
    ['400', () => error(400, 'bad'), 'SystemForCrossDomainIdentityManagementBadRequest'],
    ['405', () => error(405, 'no PATCH'), 'MethodNotAllowed'],
    ['501', () => error(501, 'no PATCH'), 'NotImplemented'],
    ['409', () => error(409, 'taken'), 'EntryConflict'],
  ])('fails the object on %s to a PATCH', async (_what, answer, code) => {
    const job = await linked()
    job.store.misbehave = only((line) => line.startsWith('PATCH'), answer)
    await run(job)
    expect(job.log.map(({ action, statusInfo }) => [action, statusInfo.errorCode])).toEqual([
      ['Update', code],
    ])
  })

  it.each([204, 200])('treats %i without a body as success', async (status) => {
    const job = await linked()
    job.store.misbehave = only(
      (line) => line.startsWith('PATCH'),
      () => new Response(null, { status }),
    )
    await run(job)
    expect(job.log.map(({ statusInfo }) => statusInfo.status)).toEqual(['success'])
  })

  it('treats 404 to a DELETE as success', async () => {
    const job = await linked()
    job.store.users.clear()
    job.directory.users = []
    await run(job)
    expect(job.log.map(({ action, statusInfo }) => [action, statusInfo.status])).toEqual([
      ['Delete', 'success'],
    ])
  })

  it('sends Add for an attribute that the endpoint does not return', async () => {
    const job = await linked()
    const [id = ''] = job.store.users.keys()
    delete job.store.users.get(id)?.active
    const sent = await job.requestsOfCycle()
    expect(sent[1]?.body).toMatchObject({
      Operations: [
        { op: 'Add', path: 'active', value: 'True' },
        { op: 'Replace', path: 'displayName', value: 'Changed' },
      ],
    })
  })
})

describe('the connection test', () => {
  it.each<[string, () => Response | Promise<Response>, RegExp]>([
    ['401', () => error(401, 'unknown token'), /CredentialValidationFailure: HTTP 401: unknown token/],
    ['403', () => error(403, 'no'), /CredentialValidationFailure/],
    ['404', () => error(404, 'none'), /ServiceIncompatible/],
    ['400', () => error(400, 'filter'), /ServiceIncompatibleFiltering/],
    ['500', () => error(500, 'oops'), /InternalServerError/],
    ['HTML', html, /HTML page instead of JSON/],
    ['no answer', never, /Timeout/],
    [
      'a ListResponse with other users',
      () => json(200, { totalResults: 1, Resources: [{ id: 'x' }] }),
      /the endpoint ignores the filter/,
    ],
  ])('puts the job into quarantine on %s and stops sending', async (_what, answer, message) => {
    const job = harness()
    job.store.misbehave = () => answer()
    const result = await run(job)
    expect(result).toMatchObject({
      kind: 'quarantined',
      quarantine: { reason: 'EncounteredQuarantineException', seriesCount: 1 },
    })
    expect(job.state.quarantine?.error).toMatch(message)
    expect(job.store.received).toHaveLength(1)
  })

  it('puts the job into quarantine when only /Groups is missing', async () => {
    const job = harness()
    job.store.misbehave = ({ path }) => (path.startsWith('/Groups') ? error(404, 'none') : undefined)
    expect((await run(job)).kind).toBe('quarantined')
  })

  it('stops a cycle in which the token is revoked', async () => {
    const job = new JobHarness({
      users: [{ ...PERSON }, { ...PERSON, id: 'q', userPrincipalName: 'q@quillfern.example' }],
      groups: [],
    })
    job.store.misbehave = ({ method }) => (method === 'POST' ? error(401, 'revoked') : undefined)
    expect((await run(job)).kind).toBe('quarantined')
    expect(job.store.received.filter(({ method }) => method === 'POST')).toHaveLength(1)
    job.store.misbehave = () => undefined
    expect((await run(job)).kind).toBe('ran')
    expect(job.store.users.size).toBe(2)
    expect(job.state.quarantine).toBeUndefined()
  })
})

describe('429', () => {
  it('waits for the time in Retry-After, in seconds and as a date', async () => {
    const job = harness()
    const answers = [
      error(429, 'slow down', undefined, { 'retry-after': '7' }),
      error(429, 'slow down', undefined, { 'retry-after': 'Mon, 04 May 2026 08:00:20 GMT' }),
    ]
    job.store.misbehave = ({ method }) => (method === 'POST' ? answers.shift() : undefined)
    await run(job)
    expect(job.clock.slept).toEqual([7000, 13_000])
    expect(job.store.users.size).toBe(1)
  })

  it('backs off without Retry-After and then fails with TooManyRequests', async () => {
    const job = harness()
    job.store.misbehave = only(
      (line) => line.startsWith('POST'),
      () => error(429, 'slow down'),
    )
    await run(job)
    expect(job.clock.slept).toEqual([1000, 2000, 4000, 8000])
    expect(job.log[0]?.statusInfo.errorCode).toBe('TooManyRequests')
  })
})
