/** Attribute mappings that several providers share: their attributes, from the properties of the directory file. */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'

export const USER_NAME: AttributeMapping = {
  target: 'userName',
  type: 'direct',
  source: 'userPrincipalName',
  matching: 1,
}

export const NAMES: readonly AttributeMapping[] = [
  { target: 'name.givenName', type: 'direct', source: 'givenName' },
  { target: 'name.familyName', type: 'direct', source: 'surname' },
]

export const FORMATTED_NAME: AttributeMapping = {
  target: 'name.formatted',
  type: 'direct',
  source: 'displayName',
}

export const EMAIL: AttributeMapping = {
  target: 'emails[type eq "work"].value',
  type: 'direct',
  source: 'mail',
}

/** False while the user is disabled, deleted or out of scope. */
export const ACTIVE: AttributeMapping = {
  target: 'active',
  type: 'expression',
  source: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
  targetType: 'boolean',
}

export const GROUP_NAME: AttributeMapping = {
  target: 'displayName',
  type: 'direct',
  source: 'displayName',
  matching: 1,
}
