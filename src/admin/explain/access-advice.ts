/** Advice about failed access: 401, and 503 without the keys of an issuer. The log names each reason by its detail. */
import { ACCESS_DETAILS, type LoggedReason } from '../../storage/log/failed-access.ts'
import type { Advice, Refusal } from './refusal.ts'

const ENTER = 'Generate another one under API Keys, and enter it at the identity provider.'
const FEDERATION =
  'Compare the federation of the client, under API Keys, with the application at the identity provider.'

const ADVICE: Readonly<Record<LoggedReason, Omit<Advice, 'page'>>> = {
  malformed: {
    cause: 'The token that the client sends is not complete, or has more than a token.',
    fix: `Copy the whole token, without spaces. It is shown only once. ${ENTER}`,
  },
  unknown: {
    cause:
      'The token has the right form, but this tenant has no such token. It may have been mistyped, or ended long ago.',
    fix: ENTER,
  },
  revoked: {
    cause: 'An administrator has revoked the token, and the client still sends it.',
    fix: `Enter the token that replaces it. If there is none: ${lowerFirst(ENTER)}`,
  },
  expired: { cause: 'The token was generated with a last day, which has passed.', fix: ENTER },
  'without scheme': {
    cause: 'The header "Authorization" has the token alone.',
    fix: 'Let the client send "Bearer" before the token, or choose a profile that accepts it without, under Settings.',
  },
  'unknown client': {
    cause: 'The Client Identifier is not one of this tenant, or its client was deleted.',
    fix: `Copy the Client Identifier again. If its client was deleted: ${lowerFirst(ENTER)}`,
  },
  'wrong secret': {
    cause:
      'The Client Secret is not one of this client: it was mistyped, cut off, or belongs to another client.',
    fix: `Copy the whole secret. It is shown only once. ${ENTER}`,
  },
  'revoked secret': {
    cause: 'An administrator has revoked the secret, and the client still sends it.',
    fix: `Enter the secret that replaces it. If there is none: ${lowerFirst(ENTER)}`,
  },
  'expired secret': { cause: 'The last day of the secret has passed.', fix: ENTER },
  'no federation': {
    cause: 'The client presents an assertion of an issuer, but no issuer is entered here for it.',
    fix: 'Set up the federation of the client under API Keys.',
  },
  'no keys': {
    cause: 'The signature of the assertion cannot be checked, because the keys of the issuer do not arrive.',
    fix: 'Check the address of the keys in the federation of the client. If it is right, the client succeeds when the issuer answers again.',
  },
  'assertion: malformed': assertion('What the client presents is not an assertion.'),
  'assertion: algorithm': assertion('The assertion is signed in a way that is not accepted.'),
  'assertion: header': assertion('The header of the assertion has something that is not accepted.'),
  'assertion: issuer': assertion('The assertion comes from another issuer than the one entered here.'),
  'assertion: subject': assertion('The assertion is about another application than the one entered here.'),
  'assertion: audience': assertion('The assertion is meant for another audience than those entered here.'),
  'assertion: tenant': assertion('The assertion comes from another Entra tenant than the one entered here.'),
  'assertion: authorized party': assertion(
    'The assertion was issued to another application than the one entered here.',
  ),
  'assertion: expired': clock('The assertion has expired.'),
  'assertion: not yet valid': clock('The assertion is not valid yet.'),
  'assertion: lifetime': assertion('The assertion is valid for too long to be accepted.'),
  'assertion: unknown key': assertion(
    'The assertion is signed with a key that the issuer does not publish at the address entered here.',
  ),
  'assertion: signature': assertion('The signature of the assertion does not belong to its text.'),
}

function assertion(cause: string): Omit<Advice, 'page'> {
  return { cause, fix: FEDERATION }
}

function clock(cause: string): Omit<Advice, 'page'> {
  return {
    cause,
    fix: 'Compare the clocks of the server and of the issuer. If they agree, let the client ask for a new assertion.',
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

const BY_DETAIL = new Map(
  (Object.keys(ADVICE) as LoggedReason[]).map((reason) => [ACCESS_DETAILS[reason] as string, ADVICE[reason]]),
)

/** For an answer that does not say the reason, or a log entry of an older version. */
const ANY: Omit<Advice, 'page'> = {
  cause: 'The request has no valid token.',
  fix: 'Look for failed access under API Keys, which names the reason. If there is none, the client sends no token of this tenant.',
}

/** @returns null if it is not about access */
export function accessAdviceOf({ status, detail }: Refusal): Advice | null {
  const advice = BY_DETAIL.get(detail ?? '') ?? (status === 401 ? ANY : undefined)
  return advice === undefined ? null : { ...advice, page: 'apiKeys' }
}
