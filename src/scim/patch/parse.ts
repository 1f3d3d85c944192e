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
import { lowerCaseOp, qualifiedKey } from './compatibility.ts'

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove'
  readonly target: PatchPath
  /** As sent; apply.ts checks it against the attribute. Undefined when there was none. */
  readonly value: unknown
}

export interface ParsedPatch {
  readonly operations: readonly PatchOperation[]
  /** Attributes of values without a path that we do not know. */
  readonly ignored: readonly string[]
}

/**
 * Parses the body of a PATCH.
 *
 * @throws {ScimError} invalidSyntax for a malformed message, invalidPath for a path that names nothing
 */
export function parsePatch(body: unknown, type: ResourceType): ParsedPatch {
  const list = member(requireMessage(body, PATCH_OP), 'Operations')
  // An empty list is a patch that changes nothing: Microsoft's validator sends one.
  if (!Array.isArray(list))
    throw badRequest('invalidSyntax', `"Operations" must be an array, found ${kindOf(list)}`)
  const ignored: string[] = []
  const operations = list.flatMap((operation, i) =>
    parseOperation(operation, `Operations[${i}]`, type, ignored),
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
  if (path) return [{ op, target: parsePath(path, type), value }]
  if (op === 'remove') {
    // RFC 7644 §3.5.2.2: "If 'path' is unspecified, the operation fails with … 'noTarget'".
    throw badRequest('noTarget', `${where}: "remove" needs a path`)
  }
  return parseAttributes(op, value, where, type, ignored)
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
  ignored: string[],
): readonly PatchOperation[] {
  if (!isComplex(value)) {
    throw badRequest(
      'invalidValue',
      `${where}: without a path the value must be an object, found ${kindOf(value)}`,
    )
  }
  return Object.entries(value).flatMap(([key, attributeValue]) => {
    const named = qualifiedKey(key, type)
    if (named === undefined) {
      noteIgnored(ignored, key)
      return []
    }
    // RFC 7643 §2.2: a client may send read-only attributes, and they are ignored. We set "schemas".
    const { attribute } = named
    if (attribute.mutability === 'readOnly' || attribute.name === 'schemas') return []
    return [
      {
        op,
        target: { text: attribute.name, path: { steps: [attribute] as const } },
        value: named.wrap(attributeValue),
      },
    ]
  })
}
