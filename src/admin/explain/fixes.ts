/** What to do about a refused request, in one sentence. The detail of the refusal says what is wrong. */

interface Fix {
  readonly status: number
  /** Undefined for every scimType. */
  readonly scimType?: string
  readonly fix: string
}

/** The first row that fits counts. */
const FIXES: readonly Fix[] = [
  {
    status: 400,
    scimType: 'invalidFilter',
    fix: 'Correct the filter at the position that the detail names.',
  },
  { status: 400, scimType: 'invalidPath', fix: 'Use a path of the schema: GET /Schemas lists them.' },
  {
    status: 400,
    scimType: 'noTarget',
    fix: 'Read the resource and correct the value path: none of its values matches.',
  },
  {
    status: 400,
    scimType: 'mutability',
    fix: 'Leave the attribute out: a client cannot change it.',
  },
  {
    status: 400,
    scimType: 'tooMany',
    fix: 'Ask for less: use a test that an index answers, or exclude members and groups from the answer.',
  },
  { status: 400, scimType: 'invalidSyntax', fix: 'Send a JSON body of the form that the endpoint takes.' },
  { status: 400, fix: 'Correct what the detail names, in the mapping or in the scope of the client.' },
  { status: 401, fix: 'Give the client a valid token or secret.' },
  { status: 403, fix: 'Use a client with the scope "provision": this one may only read.' },
  {
    status: 404,
    fix: 'Look the resource up by its userName, displayName or externalId. If it was deleted here, create it again.',
  },
  { status: 405, fix: 'Use a method that the endpoint supports.' },
  {
    status: 409,
    scimType: 'uniqueness',
    fix: 'Find the resource that has the value, and update it, or give one of the two another value.',
  },
  { status: 409, fix: 'Have the owner of the resource write it, or hand the resource over.' },
  { status: 412, fix: 'Read the resource again, and send its current version.' },
  { status: 413, fix: 'Send less in one request, such as fewer members.' },
  { status: 415, fix: 'Send application/scim+json.' },
  { status: 429, fix: 'Send the request again later.' },
  { status: 501, fix: 'Use an endpoint that is supported: GET /ServiceProviderConfig lists the features.' },
  { status: 503, fix: 'Send the request again later.' },
]

export function fixOf(status: number, scimType: string | null): string | null {
  const found = FIXES.find(
    (row) => row.status === status && (row.scimType === undefined || row.scimType === scimType),
  )
  return found?.fix ?? null
}
