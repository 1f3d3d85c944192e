/** All checks in the order in which they run. Each is a row of the table in ../README.md. */
import type { CheckDefinition } from './check-definition.ts'
import { CONCURRENCY_CHECK } from './concurrency-check.ts'
import { CONNECTION_CHECKS } from './connection-checks.ts'
import { GROUP_CHECKS, LAST_GROUP_CHECKS } from './group-checks.ts'
import { LIFE_CHECKS } from './life-checks.ts'
import { USER_CHECKS } from './user-checks.ts'

/** The checks that run in each dialect, on objects of their own. */
export const DIALECT_CHECKS: readonly CheckDefinition[] = [
  ...USER_CHECKS,
  ...GROUP_CHECKS,
  ...LIFE_CHECKS,
  ...LAST_GROUP_CHECKS,
]

export const CHECKS: readonly CheckDefinition[] = [...CONNECTION_CHECKS, ...DIALECT_CHECKS, CONCURRENCY_CHECK]

export const CHECK_NAMES: readonly string[] = CHECKS.map(({ name }) => name)
