/**
 * The form for a federation with Microsoft Entra ID: from the few values that Entra shows to those that are compared.
 */
import type { Trust } from '../storage/access/trusts.ts'
import { check } from './check.ts'
import { FEDERATION_INPUT } from './contract/federation.ts'
import { AdminError } from './errors.ts'

/** The values of the form, as typed. */
export interface FederationForm {
  /** Name and scope are those of a new client. */
  readonly name: string
  readonly scope: string
  readonly tid: string
  readonly subject: string
  /** One or several, separated by spaces. */
  readonly audiences: string
  readonly issuer: string
  readonly jwksUri: string
  readonly azp: string
}

export const EMPTY_FORM: FederationForm = {
  ...{ name: 'Microsoft Entra ID', scope: 'provision' },
  ...{ tid: '', subject: '', audiences: '', issuer: '', jwksUri: '', azp: '' },
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The input of the admin API for a form: see FEDERATION_INPUT.
 *
 * @throws {AdminError} 400 for a field of the form
 */
export function inputOf(form: FederationForm) {
  const [tid, azp] = [asInTokens(form.tid), asInTokens(form.azp)]
  if (tid !== '' && !GUID.test(tid))
    throw invalid('tid', 'Must be a GUID, as the Entra admin center shows it')
  const issuer = form.issuer.trim() || issuerOf(tid)
  if (issuer === '') throw invalid('tid', 'Must be given, unless an issuer is')
  const jwksUri = form.jwksUri.trim() || jwksUriOf(issuer)
  if (jwksUri === undefined) throw invalid('jwksUri', 'Must be given for this issuer')
  try {
    return check(FEDERATION_INPUT, {
      ...{ issuer, jwksUri, subject: asInTokens(form.subject), audiences: audiencesOf(form.audiences) },
      ...{ tid: tid || null, azp: azp || null },
    })
  } catch (error) {
    if (error instanceof AdminError) throw invalid(...ofField(error))
    throw error
  }
}

/** The form for a stored trust. What follows from the tenant is left empty. */
export function formOf({ issuer, jwksUri, subject, audiences, tid, azp }: Trust): FederationForm {
  return {
    ...EMPTY_FORM,
    ...{ tid: tid ?? '', subject, audiences: audiences.join(' '), azp: azp ?? '' },
    issuer: issuer === issuerOf(tid ?? '') ? '' : issuer,
    jwksUri: jwksUri === null || jwksUri === jwksUriOf(issuer) ? '' : jwksUri,
  }
}

/** Entra's tokens have GUIDs in lower case, and claims are compared exactly. */
function asInTokens(typed: string): string {
  const text = typed.trim()
  return GUID.test(text) ? text.toLowerCase() : text
}

/** The issuer of a tenant of Entra, in tokens of version 2.0. */
function issuerOf(tid: string): string {
  return tid === '' ? '' : `https://login.microsoftonline.com/${tid}/v2.0`
}

/** The keys of an issuer of Entra. @returns undefined if it is not one of version 2.0 */
function jwksUriOf(issuer: string): string | undefined {
  return issuer.endsWith('/v2.0') ? issuer.replace(/\/v2\.0$/, '/discovery/v2.0/keys') : undefined
}

/**
 * The forms in which Entra names the same application: its page shows `api://<id>/.default`, and tokens have `<id>` or
 * `api://<id>`.
 */
function audiencesOf(typed: string): readonly string[] {
  const all = typed.split(/\s+/).flatMap((audience) => {
    const uri = audience.replace(/\/\.default$/, '')
    const id = asInTokens(uri.replace(/^api:\/\//, ''))
    return GUID.test(id) ? [id, `api://${id}`] : [uri]
  })
  return [...new Set(all)].filter((audience) => audience !== '')
}

function invalid(field: string, message: string): AdminError {
  return new AdminError(400, 'invalid', message, field)
}

/** The field of the form for a field of the API, such as `audiences.0`. */
function ofField({ field = '', message }: AdminError): [string, string] {
  return [field.split('.')[0] ?? '', message.replace(/^"[\w.]+" must be/, 'Must be')]
}
