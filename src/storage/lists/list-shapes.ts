/**
 * Lists whose statements are rendered once for all requests of one shape: those that differ in nothing but their values, such as
 * the address in `emails[type eq "work" and value eq "…"]`. To render statements takes several times as long as to run them if
 * an index leads to the matches.
 *
 * What depends on a value is not marked where the statements are made. Instead, they are made for two lists of the shape with
 * other values. Parameters in which the two differ must be these values, and everything else must be the same. Otherwise, such
 * as for "co", whose length decides what a list may cost, the statements are made for each request.
 */
import { pathText } from '../../scim/attribute-path.ts'
import type { Scalar } from '../../scim/comparison.ts'
import type { Filter } from '../../scim/filter/ast.ts'
import { afterPrefix } from '../../scim/filter/compile.ts'
import type { SqlValue, Statement } from '../database/database.ts'
import type { StoredResourceType } from '../tables/resource-tables.ts'
import type { ListPart, Position, Slice } from './list-request.ts'
import { skipsMany } from './scan-budget.ts'

/** A list of one type. */
export interface OneList {
  readonly part: ListPart
  readonly tenantId: string
  readonly slice: Slice
}

/** What is made for a list: statements, and what is the same for all lists of a shape. */
interface Made {
  readonly statements: readonly Statement[]
}

/** What was made for a shape, and where its values go: for each parameter, the number of a value or a constant. */
interface Template<Result> {
  readonly made: Result
  readonly places: readonly (readonly Place[])[]
}

/** `isEnd`: the end of the range of texts that begin with the value. */
type Place =
  | { readonly value: number; readonly isEnd: boolean }
  | { readonly value: undefined; readonly constant: SqlValue }

/** Clients send few shapes. The statements of one have about 10 KB. */
const MAX_SHAPES = 200
const MAX_VALUES = 20
/** Longer texts may be stored in part: see MAX_VALUE_BYTES in user-values.ts. */
const MAX_CHARACTERS = 64

/**
 * A function that makes the same as `make`, and remembers it for each shape. The text of an error that `make` leads to must not
 * depend on values either.
 *
 * @param make depends on nothing else; `variant` distinguishes what it makes for the same list
 */
export function byShape<Variant extends string, Result extends Made>(
  make: (list: OneList, variant: Variant) => Result,
): (list: OneList, variant: Variant) => Result {
  // The types of a tenant with extensions are its own.
  const byType = new WeakMap<StoredResourceType, Map<string, Template<Result> | 'seen' | 'other'>>()
  return (list, variant) => {
    const values: SqlValue[] = []
    const shape = shapeOf(list, values)
    if (shape === undefined || values.length > MAX_VALUES) return make(list, variant)
    const shapes = byType.get(list.part.type) ?? new Map<string, Template<Result> | 'seen' | 'other'>()
    byType.set(list.part.type, shapes)
    const key = `${variant} ${shape}`
    const known = shapes.get(key)
    if (typeof known === 'object') return filled(known, values)
    if (known === 'other') return make(list, variant)
    if (known === undefined) {
      // Most shapes of a client that tries many come once.
      if (shapes.size >= MAX_SHAPES) shapes.clear()
      shapes.set(key, 'seen')
      return make(list, variant)
    }
    const template = templateOf((examples) => make(withValues(list, values, examples), variant), values)
    shapes.set(key, template ?? 'other')
    return template === undefined ? make(list, variant) : filled(template, values)
  }
}

function filled<Result extends Made>(
  { made, places }: Template<Result>,
  values: readonly SqlValue[],
): Result {
  const statements = made.statements.map(({ sql }, i) => ({ sql, params: (places[i] ?? []).map(valueAt) }))
  return { ...made, statements }

  function valueAt(place: Place): SqlValue {
    if (place.value === undefined) return place.constant
    const value = values[place.value] ?? null
    return place.isEnd ? (afterPrefix(String(value)) ?? null) : value
  }
}

/** @param make makes a list of the shape with these values @returns undefined unless values are parameters alone */
function templateOf<Result extends Made>(
  make: (values: readonly SqlValue[]) => Result,
  values: readonly SqlValue[],
): Template<Result> | undefined {
  const [some, others] = [values.map(someValue), values.map(otherValue)]
  const [made, same] = [make(some), make(others)]
  const isSame =
    made.statements.length === same.statements.length &&
    made.statements.every(({ sql, params }, i) => {
      const statement = same.statements[i]
      return sql === statement?.sql && params.length === statement.params.length
    })
  if (!isSame) return undefined
  const places = made.statements.map(({ params }, i) =>
    params.map((param, j): Place | undefined => {
      const other = same.statements[i]?.params[j]
      if (param === other) return { value: undefined, constant: param }
      const isAt = (of: (value: SqlValue) => unknown) =>
        some.findIndex((one, k) => of(one) === param && of(others[k] ?? null) === other)
      const value = isAt((one) => one)
      if (value >= 0) return { value, isEnd: false }
      const end = isAt((one) => afterPrefix(String(one)))
      return end < 0 ? undefined : { value: end, isEnd: true }
    }),
  )
  const found = places.map((ofStatement) => ofStatement.flatMap((place) => place ?? []))
  return found.every(({ length }, i) => length === places[i]?.length) ? { made, places: found } : undefined
}

/**
 * Two examples of each value: texts of different lengths, none of which is the end of a range that begins with another, and numbers
 * that skip as many resources as the value.
 */
function someValue(value: SqlValue, number: number): SqlValue {
  return typeof value === 'number' ? numberLike(value, 101 + 7 * number) : `${number} value`
}

function otherValue(value: SqlValue, number: number): SqlValue {
  return typeof value === 'number' ? numberLike(value, 5_003 + 11 * number) : `${number} other value`
}

function numberLike(value: number, example: number): number {
  return skipsMany({ offset: value, limit: 0 }) ? 1e9 + example : example
}

/**
 * What the statements of a list depend on, except for values.
 *
 * @param values receives them, each once: lists in which the same values are equal have one shape
 * @returns undefined if a value may matter otherwise
 */
function shapeOf({ part, tenantId, slice }: OneList, values: SqlValue[]): string | undefined {
  const { filter, sort, withReferences, type } = part
  const place = (value: SqlValue): string => {
    const known = values.indexOf(value)
    const sign = typeof value === 'number' && skipsMany({ offset: value, limit: 0 }) ? '#' : '$'
    return `${sign}${known < 0 ? values.push(value) - 1 : known}`
  }
  const ofTenant = place(tenantId)
  const ofFilter = filter === undefined ? '' : shapeOfFilter(filter, type, place)
  const ofSlice = shapeOfSlice(slice, place)
  if (ofFilter === undefined || ofSlice === undefined) return undefined
  const order = sort === undefined ? '' : `${sort.path && pathText(sort.path)} ${sort.isDescending}`
  return `${ofTenant} ${withReferences} ${order} ${ofSlice} ${ofFilter}`
}

function shapeOfSlice(slice: Slice, place: (value: SqlValue) => string): string | undefined {
  if ('offset' in slice) return `${slice.limit} at ${place(slice.offset)}`
  const { from, isBackwards, limit, total } = slice
  if (from !== undefined && (from.version !== undefined || !isPlain(from.key ?? 0))) return undefined
  const position = from && `${from.key === null ? null : place(from.key)} ${place(from.id)}`
  return `${limit} from ${position} ${isBackwards} ${total === undefined ? total : place(total)}`
}

function shapeOfFilter(
  filter: Filter,
  type: StoredResourceType,
  place: (value: SqlValue) => string,
): string | undefined {
  switch (filter.kind) {
    case 'never':
      return filter.kind
    case 'not':
      return shapeOfOperands('not', [filter.operand])
    case 'and':
    case 'or':
      return shapeOfOperands(filter.kind, filter.operands)
    default: {
      // Whether a membership is direct is decided by its value.
      if (filter.path.steps[0].name === type.references) return undefined
      const path = pathText(filter.path)
      if (filter.kind === 'present') return path
      if (filter.kind === 'valuePath') return shapeOfOperands(path, [filter.operand])
      const { operator, key } = filter
      if (typeof key === 'boolean') return `${path} ${operator} ${key}`
      return isPlain(key) ? `${path} ${operator} ${place(key)}` : undefined
    }
  }

  function shapeOfOperands(name: string, operands: readonly Filter[]): string | undefined {
    const found = operands.map((operand) => shapeOfFilter(operand, type, place))
    return found.includes(undefined) ? undefined : `${name}(${found.join(',')})`
  }
}

function isPlain(key: string | number): boolean {
  if (typeof key === 'number') return Number.isFinite(key)
  return key.length <= MAX_CHARACTERS && afterPrefix(key) !== undefined
}

/** A list of the same shape. @param others for each of the values */
function withValues(
  { part, tenantId, slice }: OneList,
  values: readonly SqlValue[],
  others: readonly SqlValue[],
): OneList {
  const otherFor = <Value extends SqlValue>(value: Value): Value => others[values.indexOf(value)] as Value
  return {
    part: { ...part, filter: part.filter && filterWith(part.filter, otherFor) },
    tenantId: otherFor(tenantId),
    slice:
      'offset' in slice
        ? { ...slice, offset: otherFor(slice.offset) }
        : {
            ...slice,
            from: slice.from && positionWith(slice.from, otherFor),
            total: slice.total === undefined ? undefined : otherFor(slice.total),
          },
  }
}

type Exchange = <Value extends SqlValue>(value: Value) => Value

function positionWith({ key, id }: Position, otherFor: Exchange): Position {
  return { key: key === null ? null : otherFor(key), id: otherFor(id) }
}

function filterWith(filter: Filter, otherFor: Exchange): Filter {
  switch (filter.kind) {
    case 'not':
    case 'valuePath':
      return { ...filter, operand: filterWith(filter.operand, otherFor) }
    case 'and':
    case 'or':
      return { ...filter, operands: filter.operands.map((operand) => filterWith(operand, otherFor)) }
    case 'comparison': {
      const { key } = filter
      const other: Scalar = typeof key === 'boolean' ? key : otherFor(key)
      return { ...filter, value: other, key: other }
    }
    default:
      return filter
  }
}
