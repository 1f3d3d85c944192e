/**
 * Deviations in filters and list parameters (RFC 7644 §3.4.2, §3.4.3). Each has one function, whose comment names the
 * client, what it sends, and the source. Tested in test/scim/compatibility/lists.test.ts.
 */
import { instant, type Scalar } from '../comparison.ts'
import { badRequest } from '../error.ts'
import type { Literal } from '../filter/ast.ts'
import type { FilterToken } from '../filter/lexer.ts'
import type { Profile } from '../profile.ts'
import type { Attribute, AttributeType } from '../schema/definition.ts'

/**
 * `comparesSelectedValues`: Entra matches by `emails[type eq "work"].value eq "x"`, where both tests apply to the same
 * element. In the grammar of RFC 7644 §3.4.2.2 nothing may follow the bracket.
 *
 * @param token the token after the bracket
 * @see https://github.com/MicrosoftDocs/azure-docs/issues/83855
 */
export function isTestOfSelectedValue(token: FilterToken, { deviations }: Profile): boolean {
  return deviations.comparesSelectedValues && token.kind === 'word' && token.text.startsWith('.')
}

/**
 * A literal without quotes: null, true, false or a number, as in JSON (RFC 7644 §3.4.2.2). With `readsUnquotedText`, any
 * word is a string, and null, true and false are case-insensitive. Entra's documentation has `externalId eq jyoung`, and
 * so does an example in RFC 7644 §3.4.2.1, although the grammar does not allow it.
 *
 * @returns undefined if the text is not a value
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function unquotedValue(text: string, { deviations }: Profile): Scalar | null | undefined {
  const word = deviations.readsUnquotedText ? text.toLowerCase() : text
  if (word === 'null') return null
  if (word === 'true' || word === 'false') return word === 'true'
  if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return Number(text)
  return deviations.readsUnquotedText ? text : undefined
}

/**
 * `convertsFilterValues`: the JSON type of a literal may differ from that of the attribute. Entra quotes booleans
 * (`primary eq "True"`), and clients with numeric keys send `externalId eq 4711`.
 *
 * @returns the literal converted to the type; undefined if that is not possible
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/customize-application-attributes
 */
export function filterValue(
  literal: Literal,
  type: AttributeType,
  { deviations }: Profile,
): Scalar | undefined {
  const { value } = literal
  if (value === null) return undefined
  return deviations.convertsFilterValues || typeof value === JSON_TYPES[type]
    ? converted(literal, type)
    : undefined
}

const JSON_TYPES: Readonly<Partial<Record<AttributeType, string>>> = {
  boolean: 'boolean',
  integer: 'number',
  decimal: 'number',
  string: 'string',
  reference: 'string',
  binary: 'string',
  dateTime: 'string',
}

function converted({ text }: Literal, type: AttributeType): Scalar | undefined {
  switch (type) {
    case 'boolean': {
      const lower = text.toLowerCase()
      return lower === 'true' || lower === 'false' ? lower === 'true' : undefined
    }
    case 'integer':
    case 'decimal':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'dateTime':
      return instant(text) === undefined ? undefined : text
    default:
      return text.isWellFormed() && !text.includes('\0') ? text : undefined
  }
}

/**
 * True if a complex attribute compares by its "value" sub-attribute. RFC 7644 §3.4.2.2 specifies it for multi-valued
 * attributes, as in `emails co "example.com"`. `comparesReferencesByValue`: Entra also sends `manager eq "2819c223"`.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function comparesByValue({ multiValued }: Attribute, { deviations }: Profile): boolean {
  return multiValued || deviations.comparesReferencesByValue
}

/**
 * `ignoresEmptyParameters`: forms and generated clients send all parameters, as in `filter=&sortBy=&startIndex=`. An empty
 * text is not a valid filter, attribute path or number.
 *
 * @returns undefined for an empty parameter, otherwise the unchanged parameter
 */
export function withoutEmpty<Value>(parameter: Value, { deviations }: Profile): Value | undefined {
  const isEmpty = typeof parameter === 'string' && parameter.trim() === ''
  return isEmpty && deviations.ignoresEmptyParameters ? undefined : parameter
}

/**
 * `ignoresEmptyParameters` for `attributes` and `excludedAttributes`: an empty parameter, and empty names between commas.
 * RFC 7644 §3.4.2.5: "Attribute names MUST be in standard attribute notation".
 *
 * @throws {ScimError} invalidValue
 */
export function requireNames(parameter: string, names: readonly string[], { deviations }: Profile): void {
  if (deviations.ignoresEmptyParameters || !names.includes('')) return
  throw badRequest('invalidValue', `"${parameter}" must contain names of attributes, found an empty name`)
}

/**
 * `trimsPaths`: spaces around an attribute path in `sortBy` or in the `path` of a PATCH. Paths in attribute mappings are
 * typed by hand.
 */
export function trimmedPath(text: string, { deviations }: Profile): string {
  return deviations.trimsPaths ? text.trim() : text
}

/** `readsSortOrderInAnyCase`: generated clients send the names of their enumerations, such as `DESCENDING`. */
export function lowerCaseSortOrder(sortOrder: string, { deviations }: Profile): string {
  return deviations.readsSortOrderInAnyCase ? sortOrder.trim().toLowerCase() : sortOrder
}

/**
 * `readsNumbersFromText`: `startIndex` and `count` of a SearchRequest as text, as in query parameters. RFC 7644 §3.4.3
 * specifies integers.
 */
export function isAllowedNumber(value: unknown, { deviations }: Profile): boolean {
  return typeof value !== 'string' || deviations.readsNumbersFromText
}

/**
 * `readsLooseNumbers`: `startIndex` and `count` with a plus sign, leading zeros or surrounding spaces, as scripts format
 * numbers. `count=+5` arrives as " 5", because "+" means a space in a query. RFC 7644 §3.4.2.4 specifies integers, which
 * have the form of JSON (RFC 7643 §2.3.4).
 */
export function isIntegerText(text: string, { deviations }: Profile): boolean {
  return deviations.readsLooseNumbers ? /^\s*[+-]?\d+\s*$/.test(text) : /^-?(?:0|[1-9]\d*)$/.test(text)
}

/**
 * `splitsNamesFromText`: `attributes` and `excludedAttributes` of a SearchRequest as one comma-separated text, as in query
 * parameters. The client of SCIM-SDK until July 2024 and Gluu's client send them. RFC 7644 §3.4.3 specifies a list.
 *
 * @returns the names, or the unchanged value
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/690
 * @see https://github.com/GluuFederation/SCIM-Client/issues/59
 */
export function namesFromText(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.splitsNamesFromText || typeof value !== 'string') return value
  const names = value.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

/**
 * `allowsBothProjections`: `attributes` and `excludedAttributes` in one request. Clients that always exclude the `members`
 * of groups send both if they request some attributes. RFC 7644 §3.4.2.5: they are "mutually exclusive".
 *
 * @throws {ScimError} invalidValue
 */
export function requireOneProjection(
  attributes: readonly string[] | undefined,
  excludedAttributes: readonly string[] | undefined,
  { deviations }: Profile,
): void {
  if (deviations.allowsBothProjections || attributes === undefined || excludedAttributes === undefined) return
  throw badRequest(
    'invalidValue',
    '"attributes" and "excludedAttributes" are mutually exclusive; send only one of them',
  )
}
