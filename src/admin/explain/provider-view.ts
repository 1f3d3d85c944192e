/**
 * What the identity provider does after a refusal. Nothing is said of a client that is not known by its name.
 *
 * Entra: https://learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status and
 * https://learn.microsoft.com/entra/identity/app-provisioning/how-provisioning-works. Okta:
 * https://support.okta.com/help/s/article/slack-provisioning-jobs-failed-with-error-api-rate-limit-exceeded-rate-limit-exceeded
 */
import type { Refusal } from './refusal.ts'

/** A refused request of a client. */
export interface RefusedRequest extends Refusal {
  readonly action: string
  readonly clientName: string | null
}

type Provider = keyof typeof VIEWS

/** A word of the name begins so: "Central" is not Entra. */
const NAMES: readonly (readonly [Provider, RegExp])[] = [
  ['Okta', /\bokta/i],
  ['Entra', /\b(?:entra|azure)/i],
]

/** @returns null if nothing is known */
export function providerViewOf(request: RefusedRequest): string | null {
  const name = request.clientName ?? ''
  const provider = NAMES.find(([, pattern]) => pattern.test(name))?.[0]
  return provider === undefined ? null : VIEWS[provider](request)
}

const VIEWS = { Entra: entraView, Okta: oktaView } as const

function entraView({ status, action }: RefusedRequest): string {
  if (status === 401 || action === 'authenticate') {
    return 'Entra reports invalid credentials, and its job goes into quarantine: its cycles become rarer, down to one a day, and after four weeks the job is disabled. After new credentials are entered, press “Test connection”.'
  }
  if (action === 'read') {
    return '“Test connection” fails with this answer. A running job can go into quarantine until it succeeds.'
  }
  if (status === 429 || status >= 500) return 'Entra tries again by itself, in this cycle or the next one.'
  if (status === 404) {
    return 'Entra logs InvalidAnchor and keeps the id. By its documentation, it looks the object up again only after provisioning is restarted.'
  }
  const again = status === 409 && action === 'create' ? ' Each attempt begins with matching.' : ''
  return `Entra tries again 6, 12 and 24 hours after the first failure, then daily, for 28 days.${again} To try at once, use “Provision on demand” there.`
}

function oktaView({ status }: RefusedRequest): string {
  if (status === 429) return 'Okta tries again by itself, at the time that the answer names.'
  return 'Okta lists it as a failed task, under Dashboard, Tasks. Retry it there when the cause is gone.'
}
