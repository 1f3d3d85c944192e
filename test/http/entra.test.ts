/**
 * The traffic of Microsoft Entra from test/fixtures/entra.
 */
import { describe, it } from 'vitest'
import flagDialect from '../fixtures/entra/life-flag-dialect.json' with { type: 'json' }
import oldDialect from '../fixtures/entra/life-old-dialect.json' with { type: 'json' }
import quirks from '../fixtures/entra/quirks.json' with { type: 'json' }
import { newClient } from '../support/harness.ts'
import { replay, type Step } from '../support/replay.ts'

describe('the lifecycle of a user', () => {
  it.for([oldDialect, flagDialect])('$name', async ({ steps }) => {
    await replay(await newClient(), steps as readonly Step[])
  })
})

describe('quirks', () => {
  it.for(quirks as readonly { quirk: number; name: string; steps: readonly unknown[] }[])(
    'quirk $quirk: $name',
    async ({ steps }) => {
      await replay(await newClient(), steps as readonly Step[])
    },
  )
})
