/**
 * Deviations in filters and in the parameters of a list (RFC 7644 §3.4.2, §3.4.3). One named function for each, with
 * what is sent, by whom, and where that is documented or was seen. test/scim/compatibility/lists.test.ts has the cases.
 */
import { instant, type Scalar } from '../comparison.ts'
import { badRequest } from '../error.ts'
import type { Literal } from '../filter/ast.ts'
import type { FilterToken } from '../filter/lexer.ts'
import type { Profile } from '../profile.ts'
import type { Attribute, AttributeType } from '../schema/definition.ts'

/**
 * `comparesSelectedValues`: Entra matches on `emails[type eq "work"].value eq "x"`, where the test is of the same
 * element. The grammar of RFC 7644 §3.4.2.2 ends at the bracket.
 *
 * @param token what follows the bracket
 * @see https://github.com/MicrosoftDocs/azure-docs/issues/83855
 */
export function isTestOfSelected(token: FilterToken, { deviations }: Profile): boolean {
  return deviations.comparesSelectedValues && token.kind === 'word' && token.text.startsWith('.')
}

/**
 * A literal without quotes: null, true, false or a number (RFC 7644 §3.4.2.2, by the rules of JSON). Entra's
 * documentation has `externalId eq jyoung` (`readsUnquotedText`), and so has an example of RFC 7644 §3.4.2.1 itself,
 * against the grammar. Then any word is a value, and the names of JSON are read in any case.
 *
 * @returns undefined when the text is no value
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
 * `convertsFilterValues`: a literal of another JSON type than the attribute. Entra quotes booleans (`primary eq "True"`),
 * and clients with numeric keys write `externalId eq 4711`.
 *
 * @returns the literal as a value of the type, undefined when it is none
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
 * Whether a complex attribute compares by its "value" sub-attribute. RFC 7644 §3.4.2.2 has `emails co "example.com"`, of
 * multi-valued attributes. `comparesReferencesByValue`: Entra asks for `manager eq "2819c223"` too.
 *
 * @see https://learn.microsoft.com/entra/identity/app-provisioning/use-scim-to-provision-users-and-groups
 */
export function comparesByValue({ multiValued }: Attribute, { deviations }: Profile): boolean {
  return multiValued || deviations.comparesReferencesByValue
}

/**
 * `ignoresEmptyParameters`: forms and generated clients send every parameter, as in `filter=&sortBy=&startIndex=`.
 * An empty text is no filter, no attribute path and no number.
 *
 * @returns undefined for an empty parameter, or the parameter as it was
 */
export function withoutEmpty<Value>(parameter: Value, { deviations }: Profile): Value | undefined {
  const isEmpty = typeof parameter === 'string' && parameter.trim() === ''
  return isEmpty && deviations.ignoresEmptyParameters ? undefined : parameter
}

/**
 * `trimsPaths`: space around an attribute path in `sortBy`, or in the `path` of a PATCH. Paths are typed by hand into
 * attribute mappings.
 */
export function trimmedPath(text: string, { deviations }: Profile): string {
  return deviations.trimsPaths ? text.trim() : text
}

/** `readsSortOrderInAnyCase`: generated clients write their own enumerations, such as `DESCENDING`. */
export function lowerCaseSortOrder(sortOrder: string, { deviations }: Profile): string {
  return deviations.readsSortOrderInAnyCase ? sortOrder.trim().toLowerCase() : sortOrder
}

/**
 * `readsNumbersFromText`: `startIndex` and `count` of a SearchRequest as text, as the query parameters have them.
 * RFC 7644 §3.4.3 has integers.
 */
export function isNumberOfText(value: unknown, { deviations }: Profile): boolean {
  return typeof value !== 'string' || deviations.readsNumbersFromText
}

/**
 * `splitsNamesFromText`: `attributes` and `excludedAttributes` of a SearchRequest as one text, as the query parameters
 * have them: names with commas between them. The client of SCIM-SDK sent them so until July 2024, and Gluu's client did.
 * RFC 7644 §3.4.3 has a list.
 *
 * @returns the names, or the value as it was
 * @see https://github.com/Captain-P-Goldfish/SCIM-SDK/issues/690
 * @see https://github.com/GluuFederation/SCIM-Client/issues/59
 */
export function namesFromText(value: unknown, { deviations }: Profile): unknown {
  if (!deviations.splitsNamesFromText || typeof value !== 'string') return value
  const names = value.split(',').map((name) => name.trim())
  return names.filter((name) => name !== '')
}

/**
 * `allowsBothProjections`: `attributes` and `excludedAttributes` in one request. Clients that always exclude `members`
 * of groups send both when they ask for some attributes. RFC 7644 §3.4.2.5: they are "mutually exclusive".
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
    '"attributes" and "excludedAttributes" exclude each other: send one of them',
  )
}
