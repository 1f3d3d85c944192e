/**
 * A PatchOp message to its operations (RFC 7644 §3.5.2). Afterwards every operation has a path: one
 * without is taken apart into one operation for each attribute of its value, which means the same.
 */
import { isComplex } from '../comparison.ts'
import { badRequest, kindOf, quote, ScimError } from '../error.ts'
import { noteIgnored } from '../ignored.ts'
import { MAX_IGNORED_NAMES } from '../limits.ts'
import { member, requireMessage } from '../message.ts'
import { type PatchPath, parsePath } from '../path.ts'
import type { ResourceType } from '../schema/definition.ts'
import { PATCH_OP } from '../urn.ts'
import { disablesUser, fromSingletonList, isKnownKey, lowerCaseOp } from './compatibility.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly target: PatchPath
  /** As sent; apply.ts checks it against the attribute. Undefined when there was none. */
  readonly value: unknown
}

export interface ParsedPatch {
  readonly operations: readonly PatchOperation[]
  /** Attributes of values without a path, and paths beside `active: false`, that we do not know. */
  readonly ignored: readonly string[]
}

/**
 * Parses the body of a PATCH.
 *
 * @throws {ScimError} invalidSyntax for a malformed message, invalidPath and invalidFilter for a path that names nothing,
 *   but for a PATCH that disables a user: see disablesUser
 */
export function parsePatch(body: unknown, type: ResourceType): ParsedPatch {
  const list = member(requireMessage(body, PATCH_OP), 'Operations')
  // An empty list is a patch that changes nothing: Microsoft's validator sends one.
  if (!Array.isArray(list))
    throw badRequest('invalidSyntax', `"Operations" must be an array, found ${kindOf(list)}`)
  try {
    return parseOperations(list, type, parsePath)
  } catch (error) {
    if (!isUnreadablePath(error) || !disablesUser(list, type)) throw error
    return parseOperations(list, type, knownPaths())
  }
}

/** Reads a path. @returns undefined when the operation is to be ignored */
type PathReader = (text: string, type: ResourceType) => PatchPath | undefined

/** Leaves out what names nothing, as long as the provisioning log can name it. */
function knownPaths(): PathReader {
  let unknown = 0
  return (text, type) => {
    try {
      return parsePath(text, type)
    } catch (error) {
      if (!isUnreadablePath(error) || ++unknown > MAX_IGNORED_NAMES) throw error
      return undefined
    }
  }
}

/** A path that names what the resource type does not have, in its filter also, or is no path. */
function isUnreadablePath(error: unknown): boolean {
  return error instanceof ScimError && ['invalidPath', 'invalidFilter'].includes(error.scimType ?? '')
}

function parseOperations(list: readonly unknown[], type: ResourceType, readPath: PathReader): ParsedPatch {
  const ignored: string[] = []
  const operations = list.flatMap((operation, i) =>
    parseOperation(operation, `Operations[${i}]`, type, readPath, ignored),
  )
  return { operations, ignored }
}

/** The value that the operations give an attribute in the end: known before the resource is loaded. */
export function lastValue(operations: readonly PatchOperation[], name: string): unknown {
  return operations.findLast(({ target }) => target.path.steps[0].name === name)?.value
}

function parseOperation(
  operation: unknown,
  where: string,
  type: ResourceType,
  readPath: PathReader,
  ignored: string[],
): readonly PatchOperation[] {
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
  if (path) {
    const target = readPath(path, type)
    if (target !== undefined) return [{ op, target, value }]
    noteIgnored(ignored, path)
    return []
  }
  if (op === 'remove') {
    // RFC 7644 §3.5.2.2: "If 'path' is unspecified, the operation fails with … 'noTarget'".
    throw badRequest('noTarget', `${where}: "remove" needs a path`)
  }
  return parseAttributes(op, fromSingletonList(value), where, type, readPath, ignored)
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
  type: ResourceType,
  readPath: PathReader,
  ignored: string[],
): readonly PatchOperation[] {
  if (!isComplex(value)) {
    throw badRequest(
      'invalidValue',
      `${where}: without a path the value must be an object, found ${kindOf(value)}`,
    )
  }
  return Object.entries(value).flatMap(([key, attributeValue]) => {
    const target = isKnownKey(key, type) ? readPath(key, type) : undefined
    if (target === undefined) {
      noteIgnored(ignored, key)
      return []
    }
    return isSetByClient(target) ? [{ op, target, value: attributeValue }] : []
  })
}

/** RFC 7643 §2.2: a client may send read-only attributes, and they are ignored. We set "schemas". */
function isSetByClient({ path: { steps }, subAttribute }: PatchPath): boolean {
  if (steps[0].name === 'schemas') return false
  return [...steps, ...(subAttribute ? [subAttribute] : [])].every(
    ({ mutability }) => mutability !== 'readOnly',
  )
}
