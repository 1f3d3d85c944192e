/** The tables in docs/protocol/limits.md have all limits of the code, with their values and units. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { QUEUE_LIMITS } from '../src/provider/groups/queued-group-writer.ts'
import type { RateLimitName } from '../src/runtime.ts'
import * as limits from '../src/scim/limits.ts'
import { PERIOD_MS } from '../src/self-hosted/rate-limits.ts'
import { DEFAULTS } from '../src/self-hosted/settings.ts'

const ROOT = join(import.meta.dirname, '..')
const PAGE = readFileSync(join(ROOT, 'docs', 'protocol', 'limits.md'), 'utf8')
const WRANGLER = readFileSync(join(ROOT, 'wrangler.toml'), 'utf8')
/** `| limit | CONSTANT | value with unit | answer beyond it |` */
const ROW =
  /^\| (?<words>[^|]+) \| `(?<name>[A-Z_]+)` \| (?<value>[\d,]+) (?<unit>[^|]+) \| (?<answer>[^|]+) \|$/gm

const rows = [...PAGE.matchAll(ROW)].map(({ groups = {} }) => groups)

describe('the table of docs/protocol/limits.md', () => {
  it('has a row for each limit, in any order, and no others', () => {
    expect(rows.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort())
  })

  it.for(Object.entries(limits))('has the value and the unit of %s', ([name, value]) => {
    const row = rows.find((candidate) => candidate.name === name)
    expect(Number(row?.value?.replaceAll(',', ''))).toBe(value)
    const unit = /(?:BYTES|CHARACTERS|MILLISECONDS|SECONDS)$/.exec(name)?.[0]
    if (unit !== undefined) expect(row?.unit).toBe(unit.toLowerCase())
  })
})

/** `| limit | setting | self-hosted | on Cloudflare | beyond it | reason |` */
const RATE_ROW =
  /^\| [^|]+ \| `(?<name>[A-Z_]+)` \| (?<own>[\d,]+ in \d+ seconds) \| (?<cloudflare>[\d,]+ in \d+ seconds) \| 429[^|]* \| [^|]+ \|$/gm
const RATE_SETTINGS = {
  client: 'TOKEN_LIMIT',
  tenant: 'TENANT_LIMIT',
  signIn: 'SIGN_IN_LIMIT',
  failedAuthentication: 'FAILED_AUTHENTICATION_LIMIT',
} as const satisfies Record<RateLimitName, keyof typeof DEFAULTS>
const rate = (count: number, seconds: number) => `${count.toLocaleString('en-US')} in ${seconds} seconds`

describe('the table of rate limits', () => {
  const rateRows = [...PAGE.matchAll(RATE_ROW)].map(({ groups = {} }) => groups)

  it('has a row for each rate limit, and no others', () => {
    expect(rateRows.map(({ name }) => name)).toEqual(Object.values(RATE_SETTINGS))
  })

  it.for(Object.entries(RATE_SETTINGS) as [RateLimitName, keyof typeof DEFAULTS][])(
    'has the number and the period of %s, self-hosted and on Cloudflare',
    ([limit, setting]) => {
      const row = rateRows.find(({ name }) => name === setting)
      expect(row?.own).toBe(rate(Number(DEFAULTS[setting]), PERIOD_MS[limit] / 1_000))
      const binding = new RegExp(`name = "${setting}"\n.*\nsimple = \\{ limit = (\\d+), period = (\\d+) \\}`)
      const [, count, period] = binding.exec(WRANGLER) ?? []
      expect(row?.cloudflare).toBe(rate(Number(count), Number(period)))
    },
  )

  it('is followed by the limits of the queue of group writes', () => {
    const { maxWaiting, maxWaitMs } = QUEUE_LIMITS
    expect(PAGE).toContain(`Up to ${maxWaiting} may wait, for up to ${maxWaitMs / 1_000} seconds`)
  })
})
