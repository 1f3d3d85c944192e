/** The check of concurrent clients: a row of the table, whose steps are the races of ../../concurrency. */
import type { RaceResult } from '../../concurrency/race.ts'
import type { Grade } from '../../grade.ts'
import type { CheckResult } from '../check-result.ts'
import { type CheckDefinition, rfc } from './check-definition.ts'

/** Half of those of `concurrency`, so that `check` takes only some seconds more. */
export const CLIENTS = 20

export const CONCURRENCY_CHECK: CheckDefinition = {
  name: 'concurrency',
  what: 'requests of 20 clients at once lose no member, no value and no name: what was acknowledged is there',
  why: 'Entra sends several requests at once, and never sends again what was acknowledged',
  source: rfc(7644, '3.14'),
  needs: ['users'],
  // The races send their requests themselves.
  steps: () => [],
}

export function resultOfRace(race: RaceResult): CheckResult {
  const { title, message, durationMs, consequence, source = CONCURRENCY_CHECK.source } = race
  const grade = gradeOf(race)
  const effect = consequence === undefined ? {} : { consequence }
  const shared = { check: CONCURRENCY_CHECK.name, title, grade, message, durationMs, source, ...effect }
  return grade === 'success' ? shared : { ...shared, findings: [{ grade, message, cause: title, ...effect }] }
}

/** Why a race cannot begin, other checks show. One that is skipped does not apply to the endpoint. */
function gradeOf({ grade, unprepared }: RaceResult): Grade {
  if (unprepared === true) return 'skipped'
  return grade === 'skipped' ? 'not-applicable' : grade
}
