/**
 * The attribute mappings that `check` uses without a job file. Pure data.
 *
 * Microsoft: "Tutorial - Develop a SCIM endpoint for user provisioning to apps from Microsoft Entra ID" (the table of
 * default attributes), "Tutorial - Customize Microsoft Entra attribute mappings".
 */
import {
  type AttributeMapping,
  DEFAULT_GROUP_MAPPINGS,
  DEFAULT_USER_MAPPINGS,
} from '../mappings/attribute-mapping.ts'

export interface Preset {
  readonly meaning: string
  readonly users: readonly AttributeMapping[]
  /** Absent if the application does not provision groups. */
  readonly groups?: readonly AttributeMapping[]
  /** The application is in Entra's gallery, for which it must offer /Schemas. */
  readonly gallery: boolean
}

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const ACTIVE: AttributeMapping = {
  target: 'active',
  type: 'expression',
  source: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
  targetType: 'boolean',
}

const NAMES = [
  { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 },
  ACTIVE,
  direct('displayName', 'displayName'),
  direct('title', 'jobTitle'),
  direct('emails[type eq "work"].value', 'mail'),
  direct('preferredLanguage', 'preferredLanguage'),
  direct('name.givenName', 'givenName'),
  direct('name.familyName', 'surname'),
  { target: 'name.formatted', type: 'expression', source: 'Join(" ", [givenName], [surname])' },
  direct('externalId', 'mailNickname'),
] as const satisfies readonly AttributeMapping[]

const ADDRESS_AND_PHONES = [
  direct('addresses[type eq "work"].formatted', 'physicalDeliveryOfficeName'),
  direct('addresses[type eq "work"].streetAddress', 'streetAddress'),
  direct('addresses[type eq "work"].locality', 'city'),
  direct('addresses[type eq "work"].region', 'state'),
  direct('addresses[type eq "work"].postalCode', 'postalCode'),
  direct('addresses[type eq "work"].country', 'country'),
  direct('phoneNumbers[type eq "work"].value', 'telephoneNumber'),
  direct('phoneNumbers[type eq "mobile"].value', 'mobile'),
  direct('phoneNumbers[type eq "fax"].value', 'facsimileTelephoneNumber'),
]

const EMPLOYMENT: readonly AttributeMapping[] = [
  direct(`${ENTERPRISE}:employeeNumber`, 'employeeId'),
  direct(`${ENTERPRISE}:department`, 'department'),
  { ...direct(`${ENTERPRISE}:manager`, 'manager'), targetType: 'reference' },
]

/** The values of `--preset`. */
export const PRESETS = {
  'entra-custom': {
    meaning: 'the default mappings of an application that is not in the gallery',
    users: [...NAMES, ...ADDRESS_AND_PHONES, ...EMPLOYMENT],
    groups: DEFAULT_GROUP_MAPPINGS,
    gallery: false,
  },
  enterprise: {
    meaning: 'names, work email and every attribute of the enterprise extension',
    users: [
      ...NAMES,
      ...EMPLOYMENT,
      direct(`${ENTERPRISE}:costCenter`, 'extensionAttribute1'),
      direct(`${ENTERPRISE}:organization`, 'companyName'),
      direct(`${ENTERPRISE}:division`, 'extensionAttribute2'),
    ],
    groups: DEFAULT_GROUP_MAPPINGS,
    gallery: false,
  },
  cisco: {
    meaning: 'the mappings of Cisco User Management, with the extension of Cisco Umbrella',
    users: DEFAULT_USER_MAPPINGS,
    groups: DEFAULT_GROUP_MAPPINGS,
    gallery: true,
  },
} as const satisfies Readonly<Record<string, Preset>>

export type PresetName = keyof typeof PRESETS

export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[]

function direct(target: string, source: string): AttributeMapping {
  return { target, type: 'direct', source }
}
