/** `check` against a right server, and against servers with one fault each. */
import { describe, expect, it } from 'vitest'
import { isBad } from '../../../src/entra/grade.ts'
import { FAULTS } from './faults.ts'
import { checkZoo, leftOvers } from './run-check.ts'
import { scimError, TOKEN } from './server.ts'

describe('check of a right server', () => {
  it('has no finding and leaves nothing', async () => {
    const { results, zoo, verdict } = await checkZoo({}, { crewSize: 100 })
    const others = results.filter(({ grade }) => grade !== 'success')
    expect(others.map(({ title, grade, message }) => [title, grade, message])).toEqual([
      [
        'clients create a group of the same name',
        'not-applicable',
        'the endpoint allows groups that share a name',
      ],
    ])
    expect(verdict).toBe('success')
    expect(leftOvers(zoo)).toEqual([])
    expect(results.length).toBeGreaterThan(100)
  })
})

describe('check of a server that', () => {
  it.each(FAULTS)('$fault', async ({ server, grade, at, says, entra }) => {
    const { results, verdict, causes } = await checkZoo(server)
    const first = results.find((result) => isBad(result.grade) || result.grade === 'acceptable')
    expect(first).toMatchObject({ title: at, message: expect.stringContaining(says) })
    expect(first?.findings?.[0]?.consequence ?? '').toContain(entra)
    expect(verdict).toBe(grade)
    if (isBad(grade)) expect(causes.length).toBeGreaterThan(0)
  })
})

describe('the causes', () => {
  const causesWith = async (fault: string) => {
    const { server } = FAULTS.find((row) => row.fault === fault) ?? {}
    return (await checkZoo(server)).causes
  }

  it.each([
    'accepts any token',
    'loses the title',
    'has numbers as ids',
    'returns no id',
    'refuses to create users',
    'refuses the enterprise URN',
    'hides disabled users',
    'adds at most ten members',
    'refuses the right token',
    'fails',
  ])('are one for a server that %s', async (fault) => {
    expect((await causesWith(fault)).map(({ messages }) => messages)).toHaveLength(1)
  })

  it('are one for each reason of a refusal, whatever its values', async () => {
    const { causes } = await checkZoo({
      before: (request) => {
        const sent = request.method === 'PATCH' && request.token === TOKEN ? JSON.stringify(request.body) : ''
        if (/:manager/.test(sent)) return scimError(400, `"manager" of ${request.id} must be an object`)
        return /"active"/.test(sent) ? scimError(400, `"active" of ${request.id} must be Boolean`) : undefined
      },
    })
    expect(causes.map(({ titles }) => titles)).toEqual([
      ['set the manager', 'replace the manager'],
      ['disable the user', 'enable the user'],
    ])
  })

  it('count the steps that could not run', async () => {
    const [cause] = await causesWith('returns no id')
    expect(cause?.notRun).toBeGreaterThan(50)
  })
})
