/**
 * Parses a PatchOp message (RFC 7644 §3.5.2). All parsed operations have a path: an operation without a path is split into
 * equivalent operations, one for each attribute of its value.
 */
import { isComplex } from '../comparison.ts'
import { type Attempt, parseDisabling } from '../compatibility/disabling.ts'
import {
  fromSingletonList,
  hasPath,
  isSetByKey,
  lacksOperations,
  lowerCaseOp,
  pathFromKey,
} from '../compatibility/patch.ts'
import { badRequest, kindOf, quote } from '../error.ts'
import { member, requireMessage } from '../message.ts'
import { type PatchPath, parsePath } from '../path.ts'
import type { Profile } from '../profile.ts'
import type { CollectingReading, Reading } from '../reading.ts'
import { PATCH_OP } from '../urn.ts'
import { KEY_UNITS } from '../work.ts'
import type { ParsedPatch, PatchOperation } from './operation.ts'

/**
 * Parses the body of a PATCH.
 *
 * @param isStrict whether the client requested an atomic PATCH, even if it disables a user
 * @throws {ScimError} invalidSyntax for a malformed message; invalidPath, invalidFilter, noTarget and invalidValue for an
 *   invalid operation. A PATCH that disables a user omits invalid operations instead: see disabling.ts
 */
export function parsePatch(body: unknown, reading: Reading, isStrict = false): ParsedPatch {
  const list = member(requireMessage(body, PATCH_OP, reading.profile), 'Operations')
  if (!Array.isArray(list))
    throw badRequest('invalidSyntax', `"Operations" must be an array, found ${kindOf(list)}`)
  if (lacksOperations(list, reading.profile))
    throw badRequest('invalidSyntax', '"Operations" must have at least one operation, found none')
  return parseDisabling(reading, isStrict, (attempt, omissions) => {
    const ignored: string[] = []
    const ofOperations: OperationReading = { ...reading, attempt, ignored, targets: new Map() }
    const operations = list.flatMap((operation, i) => {
      const where = `Operations[${i}]`
      const parse = () => parseOperation(operation, where, ofOperations)
      return attempt(pathOf(operation) ?? where, parse) ?? []
    })
    return { operations, ignored, omissions, isStrict }
  })
}

interface OperationReading extends CollectingReading {
  /** Parses one operation, or one attribute of its value. */
  readonly attempt: Attempt
  /** The resolved paths, by their texts: a client may send thousands of operations on a few paths. */
  readonly targets: Map<string, PatchPath>
}

/** The value of the last operation on an attribute, which is known before the resource is loaded. */
export function lastValue(operations: readonly PatchOperation[], name: string): unknown {
  return operations.findLast(({ target }) => target.path.steps[0].name === name)?.value
}

function parseOperation(
  operation: unknown,
  where: string,
  reading: OperationReading,
): readonly PatchOperation[] {
  if (!isComplex(operation))
    throw badRequest('invalidSyntax', `${where} must be an object, found ${kindOf(operation)}`)
  const { profile } = reading
  const op = parseOp(member(operation, 'op'), where, profile)
  const path = member(operation, 'path')
  const value = member(operation, 'value')
  if (path !== undefined && path !== null && typeof path !== 'string') {
    throw badRequest('invalidPath', `${where}.path must be a string, found ${kindOf(path)}`)
  }
  if (op !== 'remove' && value === undefined) {
    throw badRequest('invalidValue', `${where}: "${op}" needs a value`)
  }
  if (hasPath(path, profile)) return [{ op, target: targetOf(path, reading), value }]
  if (op === 'remove') {
    // RFC 7644 §3.5.2.2: "If 'path' is unspecified, the operation fails with … 'noTarget'".
    throw badRequest('noTarget', `${where}: "remove" needs a path`)
  }
  return parseAttributes(op, fromSingletonList(value, profile), where, reading)
}

/** @throws {ScimError} as parsePath */
function targetOf(path: string, reading: OperationReading): PatchPath {
  const target = reading.targets.get(path) ?? parsePath(path, reading)
  reading.targets.set(path, target)
  return target
}

/** The name of the operation in the provisioning log. */
function pathOf(operation: unknown): string | undefined {
  const path = isComplex(operation) ? member(operation, 'path') : undefined
  return typeof path === 'string' && path !== '' ? path : undefined
}

function parseOp(op: unknown, where: string, profile: Profile): PatchOperation['op'] {
  const lower = typeof op === 'string' ? lowerCaseOp(op, profile) : op
  if (lower === 'add' || lower === 'replace' || lower === 'remove') return lower
  const found = typeof op === 'string' ? quote(op) : kindOf(op)
  throw badRequest('invalidSyntax', `${where}.op must be one of add, replace, remove, found ${found}`)
}

function parseAttributes(
  op: PatchOperation['op'],
  value: unknown,
  where: string,
  reading: OperationReading,
): readonly PatchOperation[] {
  if (!isComplex(value)) {
    throw badRequest(
      'invalidValue',
      `${where}: the value must be an object if there is no path, found ${kindOf(value)}`,
    )
  }
  return Object.entries(value).flatMap(([key, attributeValue]) => {
    reading.work.spend(KEY_UNITS)
    const target = reading.attempt(key, () => {
      const path = pathFromKey(key, reading)
      return path !== undefined && isSetByKey(path, reading) ? path : undefined
    })
    return target === undefined ? [] : [{ op, target, value: attributeValue }]
  })
}
