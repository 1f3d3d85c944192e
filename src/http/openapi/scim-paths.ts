/**
 * The OpenAPI paths of the SCIM API, with their parameters, headers and responses (RFC 7644 §3, §4).
 */
import { canBeDisabled } from '../../scim/active.ts'
import {
  BODY_TIMEOUT_SECONDS,
  CURSOR_TIMEOUT_SECONDS,
  DEFAULT_PAGE_SIZE,
  MAX_BODY_BYTES,
  MAX_PAGE_SIZE,
} from '../../scim/limits.ts'
import type { ResourceType } from '../../scim/schema/definition.ts'
import { GROUP_MEMBERSHIP } from '../../scim/schema/group-membership.ts'
import { hasMembers, pluralOf } from '../../scim/schema/resource-type.ts'
import { type Json, ref } from './json-schema.ts'

const MEDIA_TYPE = 'application/scim+json'

/** The statuses of shared error responses. */
type Status = 400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 429 | 501 | 503

/** The path items. @param prefix the path of the Tenant URL */
export function scimPaths(prefix: string, types: readonly ResourceType[]): Json {
  const paths: Record<string, Json> = {
    ...Object.fromEntries(types.flatMap(pathsOf)),
    ...(types.some(hasMembers) && membershipPaths(GROUP_MEMBERSHIP)),
    '': {
      get: operation(
        'Search',
        'listResources',
        `Lists ${types.map((type) => pluralOf(type).toLowerCase()).join(' and ')}`,
        {
          description:
            'An attribute that a resource type does not have is treated as an attribute without a value: "userName pr" matches only users (RFC 7644 §3.4.2.1).',
          parameters: listParameters(),
          responses: { 200: json('A page.', 'ResourceList'), ...errors(400, 401, 429, 503) },
        },
      ),
    },
    '/.search': search('Resource', 'Resources', 'Search'),
    '/Bulk': {
      post: operation('Bulk', 'bulk', 'Runs several operations', {
        description:
          'Operations run sequentially. Each has its own status, log entry and precondition (RFC 7644 §3.7).',
        requestBody: body('BulkRequest'),
        responses: {
          200: json('The result of each operation that ran.', 'BulkResponse'),
          ...errors(400, 401, 408, 413, 415, 429, 503),
        },
      }),
    },
    '/Me': me(),
    '/ServiceProviderConfig': {
      get: operation('Discovery', 'getServiceProviderConfig', 'Lists the supported features', {
        security: [],
        responses: { 200: json('The supported features.', 'ServiceProviderConfig') },
      }),
    },
    ...discovery('ResourceType', 'ResourceTypes'),
    ...discovery('Schema', 'Schemas'),
  }
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [`${prefix}${path}`, item]))
}

/** Components that the paths refer to. */
export function scimComponents(): { parameters: Json; responses: Json; headers: Json } {
  const query = (name: string, schema: Json, description: string) => ({
    name,
    in: 'query',
    schema,
    description,
  })
  const text = { type: 'string' }
  return {
    parameters: {
      Id: { name: 'id', in: 'path', required: true, schema: text, description: 'The id of the resource.' },
      Filter: {
        ...query('filter', text, 'RFC 7644 §3.4.2.2, with all operators, grouping and value paths.'),
        examples: {
          match: { value: 'userName eq "mirela.osterholt@quillfern.example"' },
          valuePath: { value: 'emails[type eq "work" and value ew "@quillfern.example"]' },
          members: { value: 'members.value eq "0193c5a1-7b7e-7f6e-9f52-4f8b0a4f6d21"' },
        },
      },
      StartIndex: query('startIndex', { type: 'integer', default: 1 }, '1-based; less than 1 means 1.'),
      Count: query(
        'count',
        { type: 'integer', default: DEFAULT_PAGE_SIZE },
        `At most ${MAX_PAGE_SIZE}; 0 returns only the total.`,
      ),
      Cursor: query(
        'cursor',
        text,
        `Empty for the first page, then "nextCursor" or "previousCursor" of a response (RFC 9865). Valid for ${CURSOR_TIMEOUT_SECONDS} seconds, for the same query and client.`,
      ),
      SortBy: {
        ...query('sortBy', text, 'An attribute. A multi-valued one is sorted by its primary or first value.'),
        example: 'name.familyName',
      },
      SortOrder: query(
        'sortOrder',
        { ...text, enum: ['ascending', 'descending'], default: 'ascending' },
        'Resources without a value are last if ascending, first if descending.',
      ),
      Attributes: query(
        'attributes',
        text,
        'Comma-separated names of the attributes to return instead of the default set.',
      ),
      ExcludedAttributes: query(
        'excludedAttributes',
        text,
        'Comma-separated names of attributes to remove from the default set.',
      ),
      IfMatch: {
        name: 'If-Match',
        in: 'header',
        schema: text,
        description: 'The ETag that the resource must have, a list of ETags, or *. Otherwise 412.',
        example: 'W/"3"',
      },
      Prefer: {
        name: 'Prefer',
        in: 'header',
        schema: text,
        description: 'handling=strict requests that a PATCH that disables a user is atomic, too.',
        example: 'handling=strict',
      },
      IfNoneMatch: {
        name: 'If-None-Match',
        in: 'header',
        schema: text,
        description: 'The ETag that the client has. 304 if it is still current.',
        example: 'W/"3"',
      },
    },
    headers: {
      ETag: { description: 'The version of the resource, a weak ETag.', schema: text, example: 'W/"1"' },
      Location: { description: 'The URI of the resource.', schema: { ...text, format: 'uri' } },
      WwwAuthenticate: { description: 'The challenge (RFC 6750 §3).', schema: text },
      RetryAfter: { description: 'Seconds to wait.', schema: { type: 'integer' } },
    },
    responses: {
      NotModified: {
        description: 'The client has the current version.',
        headers: { ETag: ref('headers', 'ETag') },
      },
      BadRequest: error(
        'The request is invalid. "scimType" is the kind of error; "detail" names the allowed values.',
      ),
      Unauthorized: {
        ...error(
          'The token is missing or invalid. The response is the same for unknown, revoked and expired tokens.',
        ),
        headers: { 'WWW-Authenticate': ref('headers', 'WwwAuthenticate') },
      },
      Forbidden: error('The token is read-only, or the endpoint does not support filters.'),
      NotFound: error(
        'The resource does not exist. The response is the same for deleted resources and those of other tenants.',
      ),
      Conflict: error(
        'The userName or displayName is in use, or the membership exists: scimType "uniqueness".',
      ),
      PreconditionFailed: error('If-Match does not contain the current version.'),
      RequestTimeout: error(`The body did not arrive within ${BODY_TIMEOUT_SECONDS} seconds.`),
      ContentTooLarge: error(`The body is larger than ${MAX_BODY_BYTES} bytes, or has too many operations.`),
      UnsupportedMediaType: error('The body is neither application/scim+json nor application/json.'),
      TooManyRequests: {
        ...error(
          'The client, the tenant or the address sends too many requests, or too many group writes or request bodies are queued.',
        ),
        headers: { 'Retry-After': ref('headers', 'RetryAfter') },
      },
      NotImplemented: error('The token identifies an application, not a person (RFC 7644 §3.11).'),
      Unavailable: {
        ...error('The directory is temporarily unavailable.'),
        headers: { 'Retry-After': ref('headers', 'RetryAfter') },
      },
    },
  }
}

const RESPONSES: Record<Status, string> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  408: 'RequestTimeout',
  409: 'Conflict',
  412: 'PreconditionFailed',
  413: 'ContentTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
  501: 'NotImplemented',
  503: 'Unavailable',
}

function errors(...statuses: readonly Status[]): Json {
  return Object.fromEntries(statuses.map((status) => [status, ref('responses', RESPONSES[status])]))
}

function error(description: string): Json {
  return { description, content: { [MEDIA_TYPE]: { schema: ref('schemas', 'Error') } } }
}

function operation(tag: string, operationId: string, summary: string, rest: Json): Json {
  return { tags: [tag], operationId, summary, ...rest }
}

function json(description: string, schema: string, headers: Json = {}): Json {
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers }),
    content: { [MEDIA_TYPE]: { schema: ref('schemas', schema) } },
  }
}

function body(schema: string): Json {
  const content = { schema: ref('schemas', schema) }
  return { required: true, content: { [MEDIA_TYPE]: content, 'application/json': content } }
}

function versioned(description: string, schema: string): Json {
  const location = ref('headers', 'Location')
  return json(description, schema, {
    ETag: ref('headers', 'ETag'),
    Location: location,
    'Content-Location': location,
  })
}

const PROJECTION = [ref('parameters', 'Attributes'), ref('parameters', 'ExcludedAttributes')]

function listParameters(): readonly Json[] {
  const names = ['Filter', 'SortBy', 'SortOrder', 'StartIndex', 'Count', 'Cursor']
  return [...names.map((name) => ref('parameters', name)), ...PROJECTION]
}

function pathsOf(type: ResourceType): readonly (readonly [path: string, item: Json])[] {
  const { endpoint, name } = type
  return [
    [endpoint, collection(type)],
    [`${endpoint}/.search`, search(name, pluralOf(type), pluralOf(type))],
    [`${endpoint}/{id}`, resource(type)],
  ]
}

/** Memberships have no version, and are not changed. */
function membershipPaths(type: ResourceType): Record<string, Json> {
  const { endpoint, name } = type
  const tag = pluralOf(type)
  const one = (description: string) => json(description, name, { Location: ref('headers', 'Location') })
  const parameters = ['Filter', 'StartIndex', 'Count', 'Cursor'].map((parameter) =>
    ref('parameters', parameter),
  )
  return {
    [endpoint]: {
      get: operation(tag, `list${tag}`, 'Lists memberships', {
        description: 'Filters are "group.value eq", "member.value eq", or both of them joined with "and".',
        parameters: [...parameters, ...PROJECTION],
        responses: { 200: json('A page.', `${name}List`), ...errors(400, 401, 429, 503) },
      }),
      post: operation(tag, `create${name}`, 'Adds a member to a group', {
        parameters: PROJECTION,
        requestBody: body(name),
        responses: { 201: one('Added.'), ...errors(400, 401, 403, 408, 409, 413, 415, 429, 503) },
      }),
    },
    [`${endpoint}/.search`]: search(name, tag, tag),
    [`${endpoint}/{id}`]: {
      parameters: [ref('parameters', 'Id')],
      get: operation(tag, `get${name}`, 'Reads a membership', {
        parameters: PROJECTION,
        responses: { 200: one('The membership.'), ...errors(401, 404, 429, 503) },
      }),
      delete: operation(tag, `delete${name}`, 'Removes a member from a group', {
        responses: { 204: { description: 'Removed.' }, ...errors(401, 403, 404, 429, 503) },
      }),
    },
  }
}

function collection(type: ResourceType): Json {
  const { name } = type
  const tag = pluralOf(type)
  return {
    get: operation(tag, `list${tag}`, `Lists ${tag.toLowerCase()}`, {
      parameters: listParameters(),
      responses: { 200: json('A page.', `${name}List`), ...errors(400, 401, 429, 503) },
    }),
    post: operation(tag, `create${name}`, `Creates a ${name.toLowerCase()}`, {
      parameters: PROJECTION,
      requestBody: body(name),
      responses: { 201: versioned('Created.', name), ...errors(400, 401, 403, 408, 409, 413, 415, 429, 503) },
    }),
  }
}

function search(name: string, plural: string, tag: string): Json {
  return {
    post: operation(tag, `search${plural}`, `Searches ${plural.toLowerCase()}`, {
      description: 'The same as GET, with the parameters in the body (RFC 7644 §3.4.3).',
      requestBody: body('SearchRequest'),
      responses: { 200: json('A page.', `${name}List`), ...errors(400, 401, 408, 413, 415, 429, 503) },
    }),
  }
}

function resource(type: ResourceType): Json {
  const { name } = type
  const tag = pluralOf(type)
  const lower = name.toLowerCase()
  const changing = [...PROJECTION, ref('parameters', 'IfMatch')]
  const changed = {
    200: versioned('The current resource.', name),
    ...errors(400, 401, 403, 404, 408, 409, 412, 413, 415, 429, 503),
  }
  const silent = {
    description: 'The group is changed. It is returned only if "attributes" or "excludedAttributes" is sent.',
    headers: { ETag: ref('headers', 'ETag') },
  }
  return {
    parameters: [ref('parameters', 'Id')],
    get: operation(tag, `get${name}`, `Reads a ${lower}`, {
      parameters: [...PROJECTION, ref('parameters', 'IfNoneMatch')],
      responses: {
        200: versioned('The current resource.', name),
        304: ref('responses', 'NotModified'),
        ...errors(401, 404, 429, 503),
      },
    }),
    put: operation(tag, `replace${name}`, `Replaces a ${lower}`, {
      description: `Omitted attributes are cleared${
        canBeDisabled(type)
          ? ', except "active", so that a user is not enabled by accident'
          : hasMembers(type)
            ? ', including members'
            : ''
      }.`,
      parameters: changing,
      requestBody: body(name),
      responses: changed,
    }),
    patch: operation(tag, `patch${name}`, `Changes a ${lower}`, {
      ...(canBeDisabled(type) && {
        description:
          'Atomic, unless the last operation on "active" sets it to false: then rejected operations are omitted and reported in the provisioning log.',
      }),
      parameters: canBeDisabled(type) ? [...changing, ref('parameters', 'Prefer')] : changing,
      requestBody: body('PatchOp'),
      responses: { ...changed, ...(hasMembers(type) && { 204: silent }) },
    }),
    delete: operation(tag, `delete${name}`, `Deletes a ${lower}`, {
      parameters: [ref('parameters', 'IfMatch')],
      responses: { 204: { description: 'Deleted.' }, ...errors(401, 403, 404, 412, 429, 503) },
    }),
  }
}

/** "/Me" returns 501 for all methods. */
function me(): Json {
  return Object.fromEntries(
    ['get', 'post', 'put', 'patch', 'delete'].map((method) => [
      method,
      operation('Search', `${method}Me`, 'Not supported', { responses: errors(401, 429, 501, 503) }),
    ]),
  )
}

function discovery(name: 'ResourceType' | 'Schema', tag: string): Json {
  return {
    [`/${tag}`]: {
      get: operation('Discovery', `list${tag}`, `Lists ${tag}`, {
        responses: { 200: json('The complete list.', `${name}List`), ...errors(401, 403, 429, 503) },
      }),
    },
    [`/${tag}/{id}`]: {
      parameters: [ref('parameters', 'Id')],
      get: operation('Discovery', `get${name}`, `Reads a ${name}`, {
        responses: {
          200: json('The requested definition.', name, { Location: ref('headers', 'Location') }),
          ...errors(401, 403, 404, 429, 503),
        },
      }),
    },
  }
}
