/**
 * Many clients change one user together, each another attribute. Attributes that the endpoint does not store are left
 * out, so fewer clients may take part.
 */
import { readTargetPath } from '../protocol/attribute-path.ts'
import { readRequest, type ScimRequest, updateRequest } from '../protocol/requests.ts'
import {
  countLost,
  type Race,
  type RaceContext,
  sendAlone,
  together,
  UnpreparedRace,
  verdict,
} from './race.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const ADDRESS = ['streetAddress', 'locality', 'region', 'postalCode', 'formatted']
const PHONES = ['work', 'mobile', 'home', 'fax', 'pager', 'other']

/** Attributes of RFC 7643 §4.1 and §4.3 that hold any text. */
const TEXTS: readonly string[] = [
  'displayName',
  'nickName',
  'title',
  'userType',
  ...['givenName', 'familyName', 'middleName', 'honorificPrefix', 'honorificSuffix', 'formatted'].map(
    (part) => `name.${part}`,
  ),
  ...['employeeNumber', 'costCenter', 'organization', 'division', 'department'].map(
    (attribute) => `${ENTERPRISE}:${attribute}`,
  ),
  ...['work', 'home', 'other'].flatMap((type) =>
    ADDRESS.map((part) => `addresses[type eq "${type}"].${part}`),
  ),
]

/** Attributes with a form: the value before the race, and the one that the race sets. */
const FORMED: readonly (readonly [path: string, before: string, after: string])[] = [
  ['locale', 'en-US', 'pt-PT'],
  ['preferredLanguage', 'en-US', 'pt-PT'],
  ['timezone', 'Europe/Lisbon', 'Atlantic/Azores'],
  ['profileUrl', 'https://quillfern.example/before', 'https://quillfern.example/after'],
  ...['work', 'home', 'other'].map(
    (type) =>
      [
        `emails[type eq "${type}"].value`,
        `before-${type}@quillfern.example`,
        `after-${type}@quillfern.example`,
      ] as const,
  ),
  ...PHONES.map(
    (type, index) =>
      [
        `phoneNumbers[type eq "${type}"].value`,
        `+351 21 000 00${index}0`,
        `+351 21 000 00${index}1`,
      ] as const,
  ),
]

interface Attribute {
  readonly path: string
  readonly before: string
  readonly after: string
}

const ATTRIBUTES: readonly Attribute[] = [
  ...FORMED.map(([path, before, after]) => ({ path, before, after })),
  ...TEXTS.map((path, index) => ({ path, before: `Before ${index + 1}`, after: `After ${index + 1}` })),
]

/** @throws {UnpreparedRace} if one client alone cannot change two attributes */
export const attributeRace: Race = async (context, name) => {
  const userId = await context.objects.require({ type: 'User', name: `${name}-changed@entra-check.example` })
  const stored = await storedAttributes(context, userId)
  if (stored.length < 2)
    throw new UnpreparedRace(`the endpoint stores ${stored.length} of the attributes, and a race needs two`)
  const changes = stored.map(({ path, after }) => replaceRequest(context, userId, path, after))
  const outcomes = await together(context, 'update', changes)
  const acknowledged = stored.filter((_, index) => outcomes[index]?.ok)
  const lost = await countLost(context, async () => {
    const { resource = {} } = await sendAlone(context, 'read', readRequest('User', userId))
    return acknowledged.filter(({ path, after }) => readTargetPath(resource, path) !== after).length
  })
  const title = `${stored.length} clients change an attribute each of one user`
  const consequence =
    'Entra does not send the values again: the user keeps old ones until it changes in Entra'
  return [verdict({ title, outcomes, lost, what: 'values', consequence })]
}

/** An endpoint may acknowledge an attribute and not store it. */
const SPARE = 2

/** Sets attributes alone, and returns those that a read shows. */
async function storedAttributes(context: RaceContext, userId: string): Promise<readonly Attribute[]> {
  const wanted: Attribute[] = []
  for (const attribute of ATTRIBUTES) {
    if (wanted.length === context.clients * SPARE) break
    const request = replaceRequest(context, userId, attribute.path, attribute.before)
    if ((await context.client.send('update', request)).ok) wanted.push(attribute)
  }
  const { resource = {} } = await sendAlone(context, 'read', readRequest('User', userId))
  const stored = wanted.filter(({ path, before }) => readTargetPath(resource, path) === before)
  return stored.slice(0, context.clients)
}

/** Adds, because the attribute may have no value; `add` replaces a single value (RFC 7644 §3.5.2.1). */
function replaceRequest({ dialect }: RaceContext, userId: string, path: string, value: string): ScimRequest {
  return updateRequest('User', userId, [{ op: 'add', path, value }], dialect)
}
