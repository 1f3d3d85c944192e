/** Says in clear words why there is no response. */

/** The longest response, in bytes. A page of 1,000 users has about one MB. */
export const MAX_RESPONSE_BYTES = 10 * 1024 * 1024

/** The error for a response that is too long. */
export function tooLong(): Error {
  return new Error(`the response is longer than ${MAX_RESPONSE_BYTES / 1024 / 1024} MiB`)
}

const ADD_CA =
  'Entra accepts only certificates of public authorities; for a test, name the authority with --ca FILE'

/** The codes of Node.js and OpenSSL. https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `the certificate is self-signed. ${ADD_CA}`,
  SELF_SIGNED_CERT_IN_CHAIN: `the certificate is of an authority that is not trusted. ${ADD_CA}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `the certificate is of an authority that is not trusted. ${ADD_CA}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `the certificate is of an authority that is not trusted, or its chain is not complete. ${ADD_CA}`,
  CERT_HAS_EXPIRED: 'the certificate has expired',
  CERT_NOT_YET_VALID: 'the certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host name',
}

/** The same error, or one whose message a person understands. */
export function inClearWords(error: unknown): unknown {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error && 'code' in cause)) return error
  const message = CERTIFICATE_ERRORS[String(cause.code)]
  return message === undefined ? error : new Error(`${message} (${String(cause.code)})`)
}
