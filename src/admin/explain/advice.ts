/**
 * What a refusal means, and what an administrator can do about it. The detail of the refusal says which value is wrong; a
 * test finds advice for every refusal in the source.
 */
import { accessAdviceOf } from './access-advice.ts'
import type { Advice, Refusal } from './refusal.ts'

interface Row extends Advice {
  readonly status: number
  /** Undefined for every scimType. */
  readonly scimType?: string
  /** A part of the detail; undefined for every detail. */
  readonly detail?: RegExp
}

const AGAIN = 'The client tries again by itself. If it goes on, look at the log of the server.'

/** The first row that fits counts. */
export const ADVICE: readonly Row[] = [
  {
    status: 400,
    scimType: 'invalidFilter',
    cause: 'The client looks something up with a filter that the server cannot evaluate.',
    fix: 'Correct the filter where the detail says. An identity provider makes it from the matching attribute of its mapping: match users by userName or externalId, and groups by displayName.',
  },
  {
    status: 400,
    scimType: 'invalidPath',
    cause: 'The request names an attribute that the schema does not have.',
    fix: 'Correct the target attribute in the mapping, or add the attribute under Schemas. GET /Schemas lists those that exist.',
    page: 'schemas',
  },
  {
    status: 400,
    scimType: 'noTarget',
    cause:
      'The request changes or removes a value that the resource does not have, or does not say which one.',
    fix: 'Compare the resource with what the identity provider has of it. A restart of provisioning there compares all values again.',
  },
  {
    status: 400,
    scimType: 'mutability',
    cause: 'The request changes an attribute that a client cannot change.',
    fix: 'Take the attribute out of the mapping, or let it apply only when the resource is created.',
  },
  {
    status: 400,
    scimType: 'tooMany',
    cause: 'The answer would be too large, or would take too long to find.',
    fix: 'Ask for less: use a test that an index answers, or exclude members and groups from the answer.',
  },
  {
    status: 400,
    scimType: 'invalidSyntax',
    cause: 'The request is not the JSON message that the endpoint takes.',
    fix: 'Check what the client sends, and whether a proxy in between changes it. An administrator of an identity provider cannot correct this in the mapping.',
  },
  {
    status: 400,
    scimType: 'invalidValue',
    detail: /names no |just been deleted/,
    cause:
      'The group gets a member that this directory does not have: it was deleted here, or never arrived.',
    fix: 'Bring the member into the scope of provisioning, so that it is created first. If it was deleted here, restart provisioning, so that the identity provider looks it up again.',
  },
  {
    status: 400,
    scimType: 'invalidValue',
    detail: /is required and must|must have a value/,
    cause: 'A required attribute has no value.',
    fix: 'Give the user or group a value for it at the identity provider, or map another attribute that always has one.',
  },
  {
    status: 400,
    scimType: 'invalidValue',
    detail: /units of work/,
    cause: 'The request is too large to be handled in one piece.',
    fix: 'Let the client send fewer operations, values or members in one request.',
  },
  {
    status: 400,
    scimType: 'invalidValue',
    detail: /the limit is|are allowed|at most one|may hold/,
    cause: 'The request has more than fits into the attribute or the directory.',
    fix: 'Shorten the value at the identity provider, or leave the attribute out of the mapping.',
  },
  {
    status: 400,
    scimType: 'invalidValue',
    cause: 'A value has another type or form than the schema says.',
    fix: 'Correct the mapping of the attribute, so that it gives what the detail names as allowed.',
  },
  {
    status: 400,
    scimType: 'invalidCursor',
    cause: 'The client goes on with a list that it did not begin here.',
    fix: 'Let it begin the list again, without a cursor.',
  },
  {
    status: 400,
    scimType: 'expiredCursor',
    cause: 'The client paused too long between two pages of a list.',
    fix: 'Let it begin the list again, without a cursor.',
  },
  {
    status: 400,
    scimType: 'invalidCount',
    cause: 'The client asks for a page whose size is not a number.',
    fix: 'Let it send a whole number as "count".',
  },
  {
    status: 400,
    detail: /^the directory holds .* groups/,
    cause: 'The tenant has as many groups as it may have.',
    fix: 'Take groups out of the scope of provisioning, delete groups that are not needed, or raise the group limit under Settings.',
    page: 'settings',
  },
  {
    status: 400,
    detail: /^"Host" must/,
    cause: 'The request names another host than it was sent to.',
    fix: 'Enter the Tenant URL as it is shown under API Keys. A reverse proxy must pass "Host" on as it came.',
    page: 'apiKeys',
  },
  {
    status: 400,
    cause: 'The request is not valid HTTP.',
    fix: 'Check what the client sends, and whether a proxy in between changes it.',
  },
  {
    status: 403,
    detail: /does not support "filter"/,
    cause: 'The endpoint describes the server, and has nothing to filter.',
    fix: 'Let the client ask without a filter.',
  },
  {
    status: 403,
    cause: 'The credential of the client may only read.',
    fix: 'Generate a credential of a client with the scope "Provision", and enter it at the identity provider.',
    page: 'apiKeys',
  },
  {
    status: 404,
    detail: /^(endpoint|bulk operations)/,
    cause: 'There is nothing at this address.',
    fix: 'Enter the Tenant URL as it is shown under API Keys: it ends in /scim/v2, and the client appends /Users and /Groups.',
    page: 'apiKeys',
  },
  {
    status: 404,
    cause:
      'The client knows the resource by an id that this directory does not have: it was deleted here, or in another tenant.',
    fix: 'If it was deleted by mistake, restore it under Deleted; it keeps its id. Otherwise let the identity provider look it up again, which creates it anew.',
    page: 'deleted',
  },
  {
    status: 405,
    cause: 'The endpoint does not support the method of the request.',
    fix: 'Check the Tenant URL: it must end in /scim/v2. The detail names the methods of this endpoint.',
  },
  {
    status: 408,
    cause: 'The body of the request did not arrive in time.',
    fix: AGAIN,
  },
  {
    status: 409,
    scimType: 'uniqueness',
    cause:
      'Another resource has the value, and the attribute must be unique in the tenant. Upper and lower case do not count, and disabled users keep their names.',
    fix: 'Find the resource that has it. If it is the same person or group, let the identity provider match it by this attribute. Otherwise give one of the two another value.',
  },
  {
    status: 409,
    scimType: 'invalidValue',
    cause: 'The operation refers to another one of the same request that was refused.',
    fix: 'Correct the other operation first: it has an entry of its own.',
  },
  {
    status: 409,
    detail: /belongs to/,
    cause: 'Another client owns the resource, and the tenant lets only the owner change it.',
    fix: 'Take the resource out of the scope of this client, or hand it over under Sources.',
    page: 'sources',
  },
  {
    status: 409,
    cause: 'The state that the request asks for is no longer known.',
    fix: 'Choose a later time.',
  },
  {
    status: 412,
    cause: 'The resource has changed since the client read it.',
    fix: 'Let the client read it again, and send the change with the version that it finds.',
  },
  {
    status: 413,
    cause: 'The body of the request is too large.',
    fix: 'Let the client send less in one request, such as fewer members or operations.',
  },
  {
    status: 415,
    cause: 'The body is not sent as application/scim+json, or is compressed.',
    fix: 'Correct the header "Content-Type" of the client, and let a proxy not compress requests.',
  },
  {
    status: 429,
    detail: /^the write is held/,
    cause:
      'The client takes away more access than is usual for this tenant, so its writes are held. Nothing was changed.',
    fix: 'Check the scope at the identity provider. If it is intended, let the client pass for an hour on the overview; it tries again by itself.',
    page: 'overview',
  },
  {
    status: 429,
    cause: 'There are too many requests at a time.',
    fix: 'Nothing needs to be done: the client tries again later.',
  },
  { status: 499, cause: 'The client closed the connection before the answer.', fix: AGAIN },
  {
    status: 500,
    cause: 'The server has an error.',
    fix: 'Look in the log of the server for the request id.',
  },
  {
    status: 501,
    cause: 'The server does not have this feature.',
    fix: 'Turn it off at the client. GET /ServiceProviderConfig lists the features that exist.',
  },
  {
    status: 503,
    detail: /misconfigured/,
    cause: 'A setting of the server has an invalid value.',
    fix: 'Correct the setting that the log of the server names.',
  },
  {
    status: 503,
    cause: 'The directory cannot be written at the moment: it is busy, moved or imported.',
    fix: AGAIN,
  },
]

/** @returns null for an answer that is not a refusal of this server */
export function adviceOf(refusal: Refusal): Advice | null {
  const { status, scimType, detail } = refusal
  return (
    accessAdviceOf(refusal) ??
    ADVICE.find(
      (row) =>
        row.status === status &&
        (row.scimType === undefined || row.scimType === scimType) &&
        (row.detail === undefined || row.detail.test(detail ?? '')),
    ) ??
    null
  )
}
