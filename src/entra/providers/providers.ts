/** The providers by the names that `--provider` and a job file use. */
import { AUTHENTIK } from './authentik.ts'
import { ENTRA } from './entra.ts'
import { GOOGLE } from './google.ts'
import { JUMPCLOUD } from './jumpcloud.ts'
import { OKTA, OKTA_CATALOGUE } from './okta.ts'
import { ONELOGIN } from './onelogin.ts'
import type { ProviderProfile } from './profile.ts'

export const PROVIDER_NAMES = [
  'entra',
  'okta',
  'okta-catalogue',
  'onelogin',
  'jumpcloud',
  'google',
  'authentik',
] as const

export type ProviderName = (typeof PROVIDER_NAMES)[number]

export const PROVIDERS: Readonly<Record<ProviderName, ProviderProfile>> = {
  entra: ENTRA,
  okta: OKTA,
  'okta-catalogue': OKTA_CATALOGUE,
  onelogin: ONELOGIN,
  jumpcloud: JUMPCLOUD,
  google: GOOGLE,
  authentik: AUTHENTIK,
}
