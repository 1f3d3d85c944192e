/** Checks a server of the zoo, with a clock that does not wait. */
import { causesOf, verdictOf } from '../../../src/entra/check/causes.ts'
import { type CheckOptions, checkEndpoint } from '../../../src/entra/check/check.ts'
import { parseTenantUrl } from '../../../src/entra/protocol/tenant-url.ts'
import { secretToken } from '../../../src/entra/protocol/token-source.ts'
import { countingIds, ManualClock } from '../support/job-harness.ts'
import { type Behaviour, newZoo, TOKEN, ZOO, type Zoo } from './server.ts'

export type ZooOptions = Partial<CheckOptions>

export async function checkZoo(fault: Partial<Behaviour> = {}, options: ZooOptions = {}) {
  const { zoo, fetch } = newZoo(fault)
  const results = await checkEndpoint({
    ...{ tenantUrl: parseTenantUrl(ZOO), tokens: secretToken(TOKEN), fetch, crewSize: 12, clients: 3 },
    ...{ clock: new ManualClock(), newId: countingIds(), dialects: ['old', 'flag'] },
    ...options,
  })
  return { results, zoo, verdict: verdictOf(results), causes: causesOf(results) }
}

/** The resources that the check left at the server. */
export function leftOvers({ Users, Groups }: Zoo): string[] {
  return [...Users.keys(), ...Groups.keys()].filter((id) => !id.startsWith('resident'))
}
