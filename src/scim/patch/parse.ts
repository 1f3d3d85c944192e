/**
 * A PatchOp message to its operations (RFC 7644 §3.5.2). Afterwards every operation has a path: one
 * without is taken apart into one operation for each attribute of its value, which means the same.
 */
import { isComplex } from '../comparison.ts'
import { badRequest, kindOf, quote } from '../error.ts'
import { noteIgnored } from '../ignored.ts'
import { member, requireMessage } from '../message.ts'
import { type PatchPath, parsePath } from '../path.ts'
import type { ResourceType } from '../schema/definition.ts'
import { PATCH_OP } from '../urn.ts'
import { Work } from '../work.ts'
import { fromSingletonList, isKnownKey, lowerCaseOp } from './compatibility.ts'
import { type Attempt, parseDisabling } from './disabling.ts'
import type { ParsedPatch, PatchOperation } from './operation.ts'

/**
 * Parses the body of a PATCH.
 *
 * @param work of the request so far
 * @param isStrict whether the client asked for all or nothing
 * @throws {ScimError} invalidSyntax for a malformed message; invalidPath, invalidFilter, noTarget and invalidValue for an
 *   operation that can be applied to no resource, but for a PATCH that disables a user: see disabling.ts
 */
export function parsePatch(
  body: unknown,
  type: ResourceType,
  work = new Work(),
  isStrict = false,
): ParsedPatch {
  const list = member(requireMessage(body, PATCH_OP), 'Operations')
  // An empty list is a patch that changes nothing: Microsoft's validator sends one.
  if (!Array.isArray(list))
    throw badRequest('invalidSyntax', `"Operations" must be an array, found ${kindOf(list)}`)
  return parseDisabling(type, isStrict, work, (attempt, omissions) => {
    const ignored: string[] = []
    const operations = list.flatMap((operation, i) => {
      const where = `Operations[${i}]`
      const parse = () => parseOperation(operation, where, { type, work, attempt, ignored })
      return attempt(pathOf(operation) ?? where, parse) ?? []
    })
    return { operations, ignored, omissions, isStrict }
  })
}

/** What parsing needs to know at each operation. */
interface Context {
  readonly type: ResourceType
  readonly work: Work
  readonly attempt: Attempt
  readonly ignored: string[]
}

/** The value that the operations give an attribute in the end: known before the resource is loaded. */
export function lastValue(operations: readonly PatchOperation[], name: string): unknown {
  return operations.findLast(({ target }) => target.path.steps[0].name === name)?.value
}

function parseOperation(operation: unknown, where: string, context: Context): readonly PatchOperation[] {
  if (!isComplex(operation))
    throw badRequest('invalidSyntax', `${where} must be an object, found ${kindOf(operation)}`)
  const op = parseOp(member(operation, 'op'), where)
  const path = member(operation, 'path')
  const value = member(operation, 'value')
  if (path !== undefined && path !== null && typeof path !== 'string') {
    throw badRequest('invalidPath', `${where}.path must be a string, found ${kindOf(path)}`)
  }
  if (op !== 'remove' && value === undefined) {
    throw badRequest('invalidValue', `${where}: "${op}" needs a value`)
  }
  if (path) return [{ op, target: parsePath(path, context.type, context.work), value }]
  if (op === 'remove') {
    // RFC 7644 §3.5.2.2: "If 'path' is unspecified, the operation fails with … 'noTarget'".
    throw badRequest('noTarget', `${where}: "remove" needs a path`)
  }
  return parseAttributes(op, fromSingletonList(value), where, context)
}

/** What the log calls the operation. */
function pathOf(operation: unknown): string | undefined {
  const path = isComplex(operation) ? member(operation, 'path') : undefined
  return typeof path === 'string' && path !== '' ? path : undefined
}

function parseOp(op: unknown, where: string): PatchOperation['op'] {
  const lower = typeof op === 'string' ? lowerCaseOp(op) : op
  if (lower === 'add' || lower === 'replace' || lower === 'remove') return lower
  const found = typeof op === 'string' ? quote(op) : kindOf(op)
  throw badRequest('invalidSyntax', `${where}.op must be one of add, replace, remove, found ${found}`)
}

function parseAttributes(
  op: PatchOperation['op'],
  value: unknown,
  where: string,
  { type, work, attempt, ignored }: Context,
): readonly PatchOperation[] {
  if (!isComplex(value)) {
    throw badRequest(
      'invalidValue',
      `${where}: without a path the value must be an object, found ${kindOf(value)}`,
    )
  }
  return Object.entries(value).flatMap(([key, attributeValue]) => {
    if (!isKnownKey(key, type)) {
      noteIgnored(ignored, key)
      return []
    }
    const target = attempt(key, () => parsePath(key, type, work))
    return target !== undefined && isSetByClient(target) ? [{ op, target, value: attributeValue }] : []
  })
}

/** RFC 7643 §2.2: a client may send read-only attributes, and they are ignored. We set "schemas". */
function isSetByClient({ path: { steps }, subAttribute }: PatchPath): boolean {
  if (steps[0].name === 'schemas') return false
  return [...steps, ...(subAttribute ? [subAttribute] : [])].every(
    ({ mutability }) => mutability !== 'readOnly',
  )
}
