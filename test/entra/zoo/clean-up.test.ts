/** What `check` leaves at the endpoint: nothing, whatever the endpoint answers and whenever it is stopped. */
import { describe, expect, it } from 'vitest'
import type { CheckResult } from '../../../src/entra/check/check-result.ts'
import { checkZoo, leftOvers } from './run-check.ts'
import type { Answer, Behaviour, Request } from './server.ts'

const isCreation = ({ method }: Request) => method === 'POST'
const created = (change: (answer: Answer) => Answer): Partial<Behaviour> => ({
  answers: (answer, request) => (isCreation(request) && answer.status === 201 ? change(answer) : answer),
})

describe('after check of a server that', () => {
  it.each<[string, Partial<Behaviour>]>([
    ['returns no id', created((answer) => ({ ...answer, body: { ok: true } }))],
    ['creates and then fails', created(() => ({ status: 503 }))],
    ['returns nothing', created(({ status }) => ({ status, text: '' }))],
    ['has numbers as ids', { newId: (number) => number }],
    ['creates users and groups twice', { isTaken: () => false }],
    ['accepts any token', { authorizes: () => true }],
    [
      'does not check the token when it creates',
      { authorizes: (token, request) => isCreation(request) || token !== undefined },
    ],
  ])('%s, only its own objects are there', async (_, server) => {
    const { zoo } = await checkZoo(server)
    expect(leftOvers(zoo)).toEqual([])
    expect([zoo.Users.size, zoo.Groups.size]).toEqual([1, 1])
  })

  it('ignores filters, the objects of others remain', async () => {
    const { zoo } = await checkZoo({ matches: () => true, ...created((answer) => ({ ...answer, body: {} })) })
    expect([zoo.Users.has('resident'), zoo.Groups.has('residents')]).toEqual([true, true])
    expect(leftOvers(zoo)).toEqual([])
  })

  it.each([1, 5, 20, 40, 60, 90])('is stopped after %i steps, nothing is left', async (count) => {
    const stop = new AbortController()
    let steps = 0
    const onResult = () => {
      if (++steps === count) stop.abort()
    }
    const { zoo, results } = await checkZoo({}, { signal: stop.signal, onResult })
    expect(leftOvers(zoo)).toEqual([])
    expect(results).toHaveLength(count)
  })

  it('never answers, a stop ends the request', async () => {
    const stop = new AbortController()
    const results: CheckResult[] = []
    const options = { signal: stop.signal, onResult: (result: CheckResult) => results.push(result) }
    const hanging = checkZoo({}, { ...options, fetch: (_, { signal }) => hang(signal) })
    stop.abort()
    await hanging
    expect(results).toEqual([])
  })

  it('refuses to delete, the objects are named', async () => {
    const { verdict, results } = await checkZoo({
      before: ({ method, token }) =>
        method === 'DELETE' && token !== undefined ? { status: 405 } : undefined,
    })
    expect(verdict).toBe('error')
    expect(results.at(-1)).toMatchObject({
      title: 'clean up',
      message: expect.stringMatching(
        /^could not be deleted: Group z\d+ \(HTTP 405\), .*User z1 \(HTTP 405\)/,
      ),
    })
  })
})

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason))
  })
}
