/** The faults that the emulated issuer can have, to test how a target reacts to them. */

export const FAULTS = {
  'key-rotation': 'every assertion is signed with a new key; the earlier keys remain published',
  'unpublished-key': 'assertions are signed with a key that is not published',
  'wrong-audience': 'the audience is another application',
  'wrong-issuer': 'the issuer is another tenant',
  'wrong-subject': 'the subject is another service principal',
  'wrong-tenant': 'the claim tid is another tenant',
  expired: 'assertions expired an hour ago',
  'alg-none': 'assertions are not signed',
  hs256: 'assertions are signed with HMAC, with the public key as the secret',
  'token-outage': 'the token endpoint of the issuer answers 503',
  'jwks-outage': 'the keys answer 503',
  'jwks-html': 'the keys are an HTML page',
  'jwks-huge': 'the keys are followed by 1 MB of spaces',
  'jwks-slow': 'the keys are delayed by 10 seconds',
  'jwks-redirect': 'the keys redirect to another path, which has them',
} as const

export type Fault = keyof typeof FAULTS

export function isFault(text: string): text is Fault {
  return Object.hasOwn(FAULTS, text)
}
