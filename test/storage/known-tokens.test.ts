/** The hash of a token that is known to be valid is computed once. */
import { describe, expect, it } from 'vitest'
import { forgetToken, recordUse } from '../../src/storage/access/known-tokens.ts'
import { actorOf } from '../../src/storage/access/tokens.ts'

const TOKEN = `scim_acme_${'a'.repeat(43)}`
const OTHER = `scim_acme_${'b'.repeat(43)}`

/** Reads the claims of a token. @returns the actor, and whether the token was hashed */
async function claims(token: string, now = 1) {
  let isHashed = false
  const actor = await actorOf(token, now, (text) => {
    isHashed = true
    return `hash of ${text}`
  })
  return { ...actor, isHashed }
}

describe('the claims of a token', () => {
  it('follow from its text, and are remembered if it is known to be valid', async () => {
    const actor = { tenantId: 'acme', tokenHash: `hash of ${TOKEN}` }
    expect([await claims(TOKEN), await claims(TOKEN)]).toEqual(
      [1, 1].map((now) => ({ ...actor, now, isHashed: true })),
    )
    recordUse({ tokenHash: actor.tokenHash, now: 1 })
    expect([await claims(TOKEN), await claims(TOKEN, 2)]).toEqual([
      { ...actor, now: 1, isHashed: true },
      { ...actor, now: 2, isHashed: false },
    ])
    expect((await claims(OTHER)).isHashed).toBe(true)
    forgetToken(actor)
    expect(await claims(TOKEN)).toMatchObject(actor)
  })

  it('are those of the 1,000 tokens that were remembered last', async () => {
    const token = (number: number) => `scim_acme_${String(number).padStart(43, '0')}`
    for (let number = 0; number <= 1_000; number++) {
      recordUse({ tokenHash: `hash of ${token(number)}`, now: 1 })
      await claims(token(number))
    }
    expect([await claims(token(1)), await claims(token(0))]).toMatchObject([
      { isHashed: false },
      { isHashed: true },
    ])
  })
})
