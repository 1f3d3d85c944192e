/**
 * A condition that every match of a filter meets, and that passes over most other resources without parsing their documents:
 * the comparison document contains a part of the value that is searched for. Parsing takes half of the time of a scan.
 *
 * JSON writes printable characters of ASCII as they are, except for the quote and the backslash, so a part of such characters is
 * in the text of the document if it is in the value. Any other value has no such condition.
 */
import { pathText, target } from '../../scim/attribute-path.ts'
import type { ComparisonOperator, Filter } from '../../scim/filter/ast.ts'
import { constant, fragment, type SqlFragment } from '../../scim/filter/sql-fragment.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'

/** The most parts of which a document may contain any one. Each is searched for in all of it. */
const MOST_PARTS = 3

/**
 * The most occurrences of the first character of a part. Each takes time of its own, and a document of nothing else would take
 * six times as long as to parse it. D1 limits a pattern to 50 bytes, which have room for 24.
 */
const MOST_STARTS = 24

/** The characters of a part. With more of them it is hardly rarer, and each is compared at every occurrence of the first. */
const PART_CHARACTERS = 8
const ENOUGH_CHARACTERS = 4

/** Characters without a meaning in JSON or in a pattern of GLOB. */
const PLAIN_RUNS = /[ !#-)+->@-Z\]-~]+/g

/** A part does not begin with these, of which an ordinary document has too many. */
const COMMON = new Set(':,aeilmnorst')

/** Other characters, those that an ordinary document has most of first. The rest is rare. */
const LESS_COMMON = '194pcuydfgv.2 5hx380w67bkz'

/**
 * The condition, which is never NULL and never false for a match.
 *
 * @returns undefined if the filter does not require any text, such as "not" and "pr", or only texts without rare characters
 */
export function prefilterOf(filter: Filter, type: StoredResourceType): SqlFragment | undefined {
  const parts = searchedParts(filter, type)
  if (parts === undefined) return undefined
  const document = constant(`${type.table.name}.keys`)
  // SQLite plans for the value of a bare parameter, and would prepare the statement again for each value.
  const conditions = parts.map(
    (part) =>
      fragment`${document} GLOB '' || ${manyOf(part.slice(0, 1))} OR ${document} GLOB '' || ${`*${part}*`}`,
  )
  return conditions.reduce((all, one) => fragment`${all} OR ${one}`)
}

/** A pattern for so many occurrences that the part is not searched for: the document is parsed instead. */
function manyOf(character: string): string {
  return `${`*${character}`.repeat(MOST_STARTS)}*`
}

/** Texts of which every match has at least one in its document. @returns undefined likewise */
export function searchedParts(filter: Filter, type: StoredResourceType): readonly string[] | undefined {
  return necessary(filter, (test) => isInDocument(test, type))
}

function necessary(filter: Filter, isStored: (test: Filter) => boolean): readonly string[] | undefined {
  switch (filter.kind) {
    case 'and': {
      const found = filter.operands.flatMap((operand) => {
        const parts = necessary(operand, isStored)
        return parts === undefined ? [] : [parts]
      })
      return found.toSorted((a, b) => a.length - b.length || shortest(b) - shortest(a))[0]
    }
    case 'or': {
      const found = filter.operands.map((operand) => necessary(operand, isStored))
      const parts = new Set(found.flatMap((one) => one ?? []))
      return found.includes(undefined) || parts.size > MOST_PARTS ? undefined : [...parts]
    }
    case 'valuePath':
      // The values of an element are in the document if the element is.
      return isStored(filter) ? necessary(filter.operand, () => true) : undefined
    case 'comparison': {
      const part = isStored(filter) ? partOf(filter) : undefined
      return part === undefined ? undefined : [part]
    }
    default:
      return undefined
  }
}

function shortest(parts: readonly string[]): number {
  return Math.min(...parts.map((part) => part.length))
}

/** False for columns that are not part of the document, and for memberships. */
function isInDocument(test: Filter, { table, references }: StoredResourceType): boolean {
  if (!('path' in test)) return false
  const [first] = test.path.steps
  return first.name !== references && table.columns[pathText(test.path)]?.isPlain !== true
}

/** Operators that are true only if the value contains the operand. */
const CONTAINING: readonly ComparisonOperator[] = ['eq', 'co', 'sw', 'ew']
const TEXTS: readonly string[] = ['string', 'reference', 'binary']

function partOf({ path, operator, key }: Extract<Filter, { kind: 'comparison' }>): string | undefined {
  if (typeof key !== 'string' || !CONTAINING.includes(operator) || !TEXTS.includes(target(path).type)) {
    return undefined
  }
  const parts = Array.from(key.matchAll(PLAIN_RUNS), ({ 0: run, index }) => {
    // The text of an equal value ends there.
    const end = operator === 'eq' && index + run.length === key.length ? '"' : ''
    return partsOfRun(run, end)
  }).flat()
  return parts.reduce<string | undefined>(
    (best, part) => (best === undefined || isRarer(part, best) ? part : best),
    undefined,
  )
}

function partsOfRun(run: string, end: string): readonly string[] {
  return Array.from(run).flatMap((character, i) =>
    COMMON.has(character) ? [] : [`${run}${end}`.slice(i, i + PART_CHARACTERS)],
  )
}

function isRarer(a: string, b: string): boolean {
  const enough = (part: string) => Math.min(part.length, ENOUGH_CHARACTERS)
  return enough(a) > enough(b) || (enough(a) === enough(b) && rarity(a) > rarity(b))
}

function rarity(part: string): number {
  const rank = LESS_COMMON.indexOf(part.slice(0, 1))
  return rank < 0 ? LESS_COMMON.length : rank
}
