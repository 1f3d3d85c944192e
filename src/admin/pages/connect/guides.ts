/** The guides, in the order in which they are listed. A new provider is a file and a line here. */
import { ENTRA_CUSTOM, ENTRA_GALLERY } from './entra.ts'
import { GOOGLE } from './google.ts'
import type { ConnectGuide } from './guide.ts'
import { JUMPCLOUD } from './jumpcloud.ts'
import { OKTA } from './okta.ts'
import { ONELOGIN } from './onelogin.ts'
import { OTHER } from './other.ts'

export const GUIDES: readonly ConnectGuide[] = [
  ENTRA_GALLERY,
  ENTRA_CUSTOM,
  OKTA,
  ONELOGIN,
  JUMPCLOUD,
  GOOGLE,
  OTHER,
]

/** @param id the last segment of a path */
export function guideOf(id: string | undefined): ConnectGuide | undefined {
  return GUIDES.find((guide) => guide.id === id)
}

/** The guide whose credentials have the name of the client; otherwise the one for all clients. */
export function guideFor({ name }: { readonly name: string }, isEntra: boolean): ConnectGuide {
  if (isEntra) return ENTRA_GALLERY
  const lower = name.toLowerCase()
  return GUIDES.find(({ credentialName }) => lower.startsWith(credentialName.toLowerCase())) ?? OTHER
}
