/** Disabling one user at once. */
import * as v from 'valibot'
import { MAX_REASON_CHARACTERS } from '../../scim/limits.ts'
import { field, TEXT } from './fields.ts'
import type { Routes } from './route.ts'

export const DISABLE_INPUT = v.pipe(
  v.strictObject({
    reason: v.optional(
      v.pipe(
        v.string(),
        v.trim(),
        v.minLength(1),
        v.maxLength(MAX_REASON_CHARACTERS),
        v.check((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
        field({ allowed: `a text of 1 to ${MAX_REASON_CHARACTERS} characters on one line` }),
        v.description('For the next administrator; it is in the provisioning log.'),
      ),
    ),
  }),
  v.title('DisableInput'),
  v.examples([{ reason: 'Laptop stolen' }]),
)

const CHANGED_USER = v.pipe(
  v.strictObject({ id: TEXT, userName: TEXT, active: v.boolean() }),
  v.title('ChangedUser'),
)

const UNTIL = 'The write is that of the administrator, in the log and in the event feed.'

export const emergencyRoutes = {
  disableUser: {
    method: 'POST',
    path: '/tenants/{id}/users/{userId}/disable',
    permission: 'change',
    summary: 'Disables a user at once',
    description: `${UNTIL} A guard that holds the writes of clients does not hold it. The identity provider may enable the user again.`,
    body: DISABLE_INPUT,
    answers: { 200: { description: 'The user is inactive.', body: CHANGED_USER } },
    refusals: [404],
  },
  enableUser: {
    method: 'POST',
    path: '/tenants/{id}/users/{userId}/enable',
    permission: 'change',
    summary: 'Enables a user again',
    description: UNTIL,
    answers: { 200: { description: 'The user is active.', body: CHANGED_USER } },
    refusals: [404],
  },
} as const satisfies Routes
