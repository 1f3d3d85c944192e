/**
 * The User schema (RFC 7643 §4.1, §8.7.1).
 */
import { USER_SCHEMA } from '../urn.ts'
import { attribute, complex, LONG, multiValued, type Schema } from './definition.ts'

/**
 * Attributes of RFC 7643 that the schema does not have, in lower case. Users do not sign in to this service, so a stored
 * password would only be a risk. All profiles ignore these attributes, as RFC 7644 §3.3 allows.
 */
export const UNSUPPORTED_ATTRIBUTES: ReadonlySet<string> = new Set(['password'])

const NAME = complex('name', "The components of the user's name.", [
  attribute('formatted', 'string', 'The full name, formatted for display.'),
  attribute('familyName', 'string', 'The family name, or last name.'),
  attribute('givenName', 'string', 'The given name, or first name.'),
  attribute('middleName', 'string', 'The middle name or names.'),
  attribute('honorificPrefix', 'string', 'The honorific prefix or title, such as "Ms.".'),
  attribute('honorificSuffix', 'string', 'The honorific suffix, such as "III".'),
])

const ADDRESSES = complex(
  'addresses',
  'Physical mailing addresses.',
  [
    attribute('formatted', 'string', 'The full mailing address, formatted for display.', LONG),
    attribute('streetAddress', 'string', 'The street address, which may have several lines.', LONG),
    attribute('locality', 'string', 'The city or locality.'),
    attribute('region', 'string', 'The state or region.'),
    attribute('postalCode', 'string', 'The postal code.'),
    attribute('country', 'string', 'The country.'),
    attribute('type', 'string', 'A label that indicates the function of the address.', {
      canonicalValues: ['work', 'home', 'other'],
    }),
    attribute('primary', 'boolean', 'True for the preferred address. It may be true for one address only.'),
  ],
  { multiValued: true },
)

const GROUPS = complex(
  'groups',
  'The groups that the user belongs to, directly or through nested groups.',
  [
    attribute('value', 'string', 'The identifier of the group.', { mutability: 'readOnly', caseExact: true }),
    attribute('$ref', 'reference', 'The URI of the group.', {
      mutability: 'readOnly',
      referenceTypes: ['Group'],
    }),
    attribute('display', 'string', 'The displayName of the group.', { mutability: 'readOnly' }),
    attribute('type', 'string', 'Whether the membership is direct or indirect.', {
      mutability: 'readOnly',
      canonicalValues: ['direct', 'indirect'],
    }),
  ],
  { multiValued: true, mutability: 'readOnly' },
)

/** True if the user is enabled: see active.ts. */
export const ACTIVE = attribute('active', 'boolean', "The user's administrative status.")

export const USER = {
  id: USER_SCHEMA,
  name: 'User',
  description: 'User Account',
  attributes: [
    attribute('userName', 'string', 'The name by which the user signs in; unique in the directory.', {
      required: true,
      uniqueness: 'server',
    }),
    NAME,
    attribute('displayName', 'string', 'The name of the user, suitable for display.'),
    attribute('nickName', 'string', 'The casual name of the user.'),
    attribute('profileUrl', 'reference', "The URI of the user's online profile.", {
      ...LONG,
      referenceTypes: ['external'],
    }),
    attribute('title', 'string', 'The user\'s title, such as "Vice President".'),
    attribute('userType', 'string', 'The relationship between the organisation and the user.'),
    attribute('preferredLanguage', 'string', "The user's preferred written or spoken language."),
    attribute('locale', 'string', "The user's default location, for currency, dates and numbers."),
    attribute('timezone', 'string', "The user's time zone, in IANA format."),
    ACTIVE,
    multiValued('emails', 'E-mail addresses.', attribute('value', 'string', 'An e-mail address.'), [
      'work',
      'home',
      'other',
    ]),
    multiValued('phoneNumbers', 'Phone numbers.', attribute('value', 'string', 'A phone number.'), [
      'work',
      'home',
      'mobile',
      'fax',
      'pager',
      'other',
    ]),
    multiValued('ims', 'Instant messaging addresses.', attribute('value', 'string', 'An address.'), [
      'aim',
      'gtalk',
      'icq',
      'xmpp',
      'msn',
      'skype',
      'qq',
      'yahoo',
    ]),
    multiValued(
      'photos',
      'URIs of photos of the user.',
      attribute('value', 'reference', 'The URI of a photo.', { ...LONG, referenceTypes: ['external'] }),
      ['photo', 'thumbnail'],
    ),
    ADDRESSES,
    GROUPS,
    multiValued(
      'entitlements',
      'Entitlements of the user.',
      attribute('value', 'string', 'An entitlement.', LONG),
    ),
    multiValued('roles', 'Roles of the user.', attribute('value', 'string', 'A role.', LONG)),
    multiValued(
      'x509Certificates',
      'Certificates issued to the user.',
      attribute('value', 'binary', 'A DER certificate in base64.'),
    ),
  ],
} as const satisfies Schema
