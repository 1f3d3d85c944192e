import { describe, expect, it } from 'vitest'
import { type CursorOwner, openCursor, sealCursor } from '../../src/provider/cursor.ts'
import { CURSOR_TIMEOUT_SECONDS } from '../../src/scim/limits.ts'

const MADE_AT = Date.parse('2026-11-23T12:00:00Z')
const CURSOR = {
  position: { key: 'ada', id: '0193c5a1-7b7e-7f6e-9f52-4f8b0a4f6d21' },
  isBackwards: false,
  total: 7,
}

const owner = (now: number): CursorOwner => ({ tenantId: 'acme', cursorKey: 'a'.repeat(32), now })

describe('a cursor', () => {
  it('opens to what was sealed until it expires', async () => {
    const text = await sealCursor(CURSOR, 'users', owner(MADE_AT))
    const lastMoment = MADE_AT + CURSOR_TIMEOUT_SECONDS * 1000
    expect(await openCursor(text, 'users', owner(lastMoment))).toEqual(CURSOR)
    await expect(openCursor(text, 'users', owner(lastMoment + 1000))).rejects.toMatchObject({
      status: 400,
      scimType: 'expiredCursor',
    })
  })

  it('is invalid rather than expired if it was not issued here, however old it is', async () => {
    const text = await sealCursor(CURSOR, 'users', owner(MADE_AT))
    const [payload, seal] = text.split('.')
    for (const other of [`${payload}.${'A'.repeat(22)}`, `${payload}`, `.${seal}`, '', '.']) {
      await expect(openCursor(other, 'users', owner(MADE_AT * 2))).rejects.toMatchObject({
        scimType: 'invalidCursor',
      })
    }
  })
})
