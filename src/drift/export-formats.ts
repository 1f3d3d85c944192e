/**
 * The formats of a directory export, turned into users and groups: the CSV files of the Entra admin center (*Download users*,
 * *Download members*), answers of Microsoft Graph (`{"value": […]}`), the directory file of the emulator
 * (`{"users": […], "groups": […]}`), and the answers of a SCIM server (RFC 7644 §3.4.2). Pure.
 *
 * Microsoft: "Download a list of users in the Azure portal" (users-bulk-download), groups-bulk-download-members.
 */
import { csvRecords } from './csv-records.ts'
import { DriftError } from './drift-error.ts'
import type { Attributes, Exported, ExportedMember } from './exported.ts'
import { type JsonElement, type JsonMember, type JsonObject, jsonElements } from './json-elements.ts'
import { scimAttributes, scimObjectId } from './scim-attributes.ts'

/** Notes about an export, such as columns that are not compared. */
export interface Notes {
  add(note: string): void
}

/**
 * Reads an export of any format.
 *
 * @param group the name of the group, for a CSV file with its members
 * @throws {DriftError} unknown columns or lists, and those of the readers
 */
export async function* exportedIn(
  text: AsyncIterable<string>,
  group: string | undefined,
  notes: Notes,
): AsyncGenerator<Exported> {
  const pieces = text[Symbol.asyncIterator]()
  let start = ''
  for (;;) {
    const { done, value } = await pieces.next()
    if (done) break
    start += value
    if (start.trim() !== '') break
  }
  const all = joined(start, pieces)
  if (/^\s*[[{]/.test(start)) {
    if (group !== undefined)
      throw new DriftError('"group" names the group of a CSV file with members, but the file is JSON')
    yield* fromJson(all, notes)
  } else if (group === undefined) yield* usersFromCsv(all, notes)
  else yield await groupFromCsv(all, group)
}

async function* joined(start: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield start
  for (;;) {
    const { done, value } = await rest.next()
    if (done) return
    yield value
  }
}

// CSV

type Cells = ReadonlyMap<string, string>

/** Microsoft Graph's properties with their SCIM paths. In CSV, the case of the names differs between versions. */
const GRAPH_PATHS: Readonly<Record<string, string>> = {
  userPrincipalName: 'userName',
  displayName: 'displayName',
  givenName: 'name.givenName',
  surname: 'name.familyName',
  accountEnabled: 'active',
  jobTitle: 'title',
  department: 'department',
  mail: 'emails.value',
}
const PATH_OF_COLUMN = new Map(Object.entries(GRAPH_PATHS).map(([name, path]) => [name.toLowerCase(), path]))
const OTHER_COLUMNS = new Set(['id', 'objectid', 'mailnickname'])

async function* usersFromCsv(text: AsyncIterable<string>, notes: Notes): AsyncGenerator<Exported> {
  let isEmpty = true
  for await (const { line, cells } of rowsOf(text, notes)) {
    const userName = cells.get('userprincipalname') ?? ''
    if (userName === '') throw new DriftError(`line ${line}: the column "userPrincipalName" is empty`)
    const id = cells.get('id') || cells.get('objectid') || undefined
    const properties = [...cells].flatMap(([column, value]) => {
      const path = PATH_OF_COLUMN.get(column)
      return path === undefined || value === '' ? [] : [[path, typed(path, value)] as const]
    })
    const externalIds = present([cells.get('mailnickname'), id])
    yield {
      ...{ type: 'User', line, sourceId: id, externalIds, objectId: id },
      attributes: Object.fromEntries(properties),
    }
    isEmpty = false
  }
  if (isEmpty) throw new DriftError('the file has no users: it ends after the names of the columns')
}

async function groupFromCsv(text: AsyncIterable<string>, group: string): Promise<Exported> {
  const members: ExportedMember[] = []
  for await (const { cells } of rowsOf(text, { add: () => undefined })) {
    members.push({
      id: cells.get('id') || cells.get('objectid') || undefined,
      userName: cells.get('userprincipalname') || undefined,
    })
  }
  return {
    ...{ type: 'Group', line: 1, sourceId: undefined, externalIds: [], objectId: undefined },
    attributes: { displayName: group },
    members,
  }
}

async function* rowsOf(
  text: AsyncIterable<string>,
  notes: Notes,
): AsyncGenerator<{ readonly line: number; readonly cells: Cells }> {
  let columns: readonly string[] | undefined
  for await (const { line, cells } of csvRecords(text)) {
    if (columns === undefined) {
      columns = requireColumns(cells, notes)
      continue
    }
    if (cells.length < columns.length - 1)
      throw new DriftError(`line ${line} has ${cells.length} cells, and the first line has ${columns.length}`)
    yield { line, cells: new Map(columns.map((column, i) => [column, cells[i] ?? ''])) }
  }
}

/** Templates of the admin center write columns such as `User name [userPrincipalName] Required`. */
function requireColumns(cells: readonly string[], notes: Notes): readonly string[] {
  const columns = cells.map((cell) => (/\[(\w+)\]/.exec(cell)?.[1] ?? cell).trim().toLowerCase())
  if (!columns.includes('userprincipalname')) {
    const found = cells.slice(0, 10).map((cell) => `"${cell.slice(0, 60)}"`)
    throw new DriftError(`the first line must name the column "userPrincipalName", found ${found.join(', ')}`)
  }
  const unknown = cells.filter((_, i) => {
    const column = columns[i] ?? ''
    return column !== '' && !PATH_OF_COLUMN.has(column) && !OTHER_COLUMNS.has(column)
  })
  if (unknown.length > 0) notes.add(`columns that are not compared: ${unknown.slice(0, 50).join(', ')}`)
  return columns
}

function typed(path: string, text: string): string | boolean {
  return path === 'active' ? text.toLowerCase() === 'true' : text
}

// JSON

/** The lists of the known formats. */
const LISTS = ['users', 'groups', 'value', 'Resources', '']

async function* fromJson(text: AsyncIterable<string>, notes: Notes): AsyncGenerator<Exported> {
  const pages = new PagesRead()
  let hasGroups = false
  for await (const found of jsonElements(text)) {
    if (!('list' in found)) {
      pages.add(found)
      continue
    }
    requireList(found)
    pages.resources++
    const exported = exportedFrom(found)
    if (exported === undefined) continue
    if (hasGroups && exported.type === 'User')
      throw new DriftError(`line ${found.line}: a user follows a group; users must come first`)
    hasGroups ||= exported.type === 'Group'
    yield exported
  }
  pages.requireAll()
  notes.add(`${pages.resources} objects were read`)
}

function requireList({ list, line }: JsonElement): void {
  if (LISTS.includes(list)) return
  throw new DriftError(
    `line ${line}: the list "${list.slice(0, 60)}" is not known; use "users" and "groups", "value", or "Resources"`,
  )
}

/** The pages of a list in a file, each a document. */
class PagesRead {
  resources = 0
  #total = 0
  #documents = 0
  #withNext = 0

  add({ name, value }: JsonMember): void {
    if (name === 'totalResults' && typeof value === 'number') this.#total = Math.max(this.#total, value)
    if (name === '@odata.context') this.#documents++
    if (name === '@odata.nextLink') this.#withNext++
  }

  /** @throws {DriftError} */
  requireAll(): void {
    if (this.#withNext > 0 && this.#withNext >= this.#documents)
      throw new DriftError(
        'the file is incomplete: "@odata.nextLink" names another page; put it after this one',
      )
    if (this.#total > this.resources)
      throw new DriftError(
        `the file is incomplete: it has ${this.resources} of ${this.#total} resources; put the other pages after it`,
      )
    if (this.resources === 0) throw new DriftError('the file has no users and no groups')
  }
}

/** @returns undefined for an object that is not to be provisioned */
function exportedFrom({ list, line, value }: JsonElement): Exported | undefined {
  if (Array.isArray(value.schemas)) return scimResource(value, line)
  if (value.assigned === false || typeof value.deletedDateTime === 'string') return undefined
  const odata = String(value['@odata.type'] ?? '')
  const isGroup =
    list === 'groups' ||
    odata.endsWith('.group') ||
    (list !== 'users' && value.userPrincipalName === undefined)
  const name = isGroup ? 'displayName' : 'userPrincipalName'
  if (typeof value[name] !== 'string' || value[name] === '')
    throw new DriftError(
      `line ${line}: "${name}" must be a text, found ${JSON.stringify(value[name]) ?? 'nothing'}`,
    )
  return graphObject(value, line, isGroup)
}

function graphObject(value: JsonObject, line: number, isGroup: boolean): Exported {
  const id = textOf(value.id)
  const paths = isGroup ? { displayName: 'displayName' } : GRAPH_PATHS
  const attributes = Object.entries(paths).flatMap(([property, path]) => {
    const found = value[property]
    return (typeof found === 'string' && found !== '') || typeof found === 'boolean' ? [[path, found]] : []
  })
  return {
    type: isGroup ? 'Group' : 'User',
    line,
    sourceId: id,
    externalIds: present([isGroup ? undefined : textOf(value.mailNickname), id]),
    objectId: id,
    attributes: Object.fromEntries(attributes) as Attributes,
    ...(isGroup && Array.isArray(value.members) && { members: value.members.map(graphMember) }),
  }
}

/** The directory file lists ids; Microsoft Graph lists objects. */
function graphMember(member: unknown): ExportedMember {
  if (typeof member === 'string') return { id: member, userName: undefined }
  const { id, userPrincipalName } = (member ?? {}) as JsonObject
  return { id: textOf(id), userName: textOf(userPrincipalName) }
}

function scimResource(value: JsonObject, line: number): Exported {
  const isGroup = value.userName === undefined
  const members = Array.isArray(value.members) ? value.members : []
  return {
    type: isGroup ? 'Group' : 'User',
    line,
    sourceId: textOf(value.id),
    externalIds: present([textOf(value.externalId)]),
    objectId: scimObjectId(value),
    attributes: scimAttributes(value),
    ...(isGroup && {
      members: members.map((member) => ({
        id: textOf((member as JsonObject | null)?.value),
        userName: undefined,
      })),
    }),
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function present(texts: readonly (string | undefined)[]): readonly string[] {
  return texts.filter((text) => text !== undefined && text !== '') as readonly string[]
}
