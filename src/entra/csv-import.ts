/**
 * Makes a directory from CSV files as the Entra admin center exports them: *Download users*, and *Download members* of
 * each group. Pure: text in, directory document and problems out.
 *
 * Microsoft: "Download a list of users in Azure portal", "Bulk download members of an existing group".
 */

/** Thrown with the line where a CSV cannot be read. */
export class CsvError extends Error {
  override readonly name = 'CsvError'
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

export interface MemberList {
  readonly groupName: string
  readonly csv: string
}

/** Exported names that differ from Microsoft Graph's. */
const RENAMED: Readonly<Record<string, string>> = {
  objectid: 'id',
  alternateemailaddress: 'otherMails',
  mobile: 'mobilePhone',
}
const BOOLEANS = new Set(['accountenabled', 'directorysynced'])

/** Members who are not among the users (nested groups, devices) are left out. */
export function importCsv(
  usersCsv: string,
  memberLists: readonly MemberList[],
): { users: object[]; groups: object[] } {
  const users = readTable(usersCsv).map(({ row, line }) => readUser(row, line))
  const ids = new Set(users.map(({ id }) => id))
  const byName = new Map(users.map(({ id, userPrincipalName }) => [userPrincipalName.toLowerCase(), id]))
  const groups = memberLists.map(({ groupName, csv }, index) => ({
    id: groupId(index),
    displayName: groupName,
    members: readTable(csv).flatMap(({ row }) => {
      const id = row.get('id') ?? row.get('objectid') ?? ''
      return ids.has(id) ? [id] : (byName.get((row.get('userprincipalname') ?? '').toLowerCase()) ?? [])
    }),
  }))
  return { users, groups }
}

function readUser(
  row: ReadonlyMap<string, string>,
  line: number,
): Record<string, unknown> & { id: string; userPrincipalName: string } {
  const id = row.get('id') ?? row.get('objectid') ?? ''
  const userPrincipalName = row.get('userprincipalname') ?? ''
  if (id === '' || userPrincipalName === '')
    throw new CsvError('a user needs the columns "id" (or "objectId") and "userPrincipalName"', line)
  const properties = [...row].flatMap(([column, text]) => {
    const name = RENAMED[column] ?? GRAPH_NAMES.get(column) ?? column
    if (text === '') return []
    return [[name, BOOLEANS.has(column) ? text.toLowerCase() === 'true' : text]]
  })
  return { ...Object.fromEntries(properties), id, userPrincipalName }
}

/** Columns are written in differing case over the years. */
const GRAPH_NAMES = new Map(
  [
    ...[
      'userPrincipalName',
      'displayName',
      'surname',
      'givenName',
      'mail',
      'mailNickname',
      'userType',
      'jobTitle',
    ],
    ...[
      'department',
      'accountEnabled',
      'usageLocation',
      'streetAddress',
      'physicalDeliveryOfficeName',
      'postalCode',
    ],
    ...['telephoneNumber', 'companyName', 'creationType', 'directorySynced', 'createdDateTime', 'employeeId'],
  ].map((name) => [name.toLowerCase(), name]),
)

/** The export has no ids of groups; theirs are made from their position, the same each time. */
function groupId(index: number): string {
  return `00000000-0000-4000-9000-${String(index + 1).padStart(12, '0')}`
}

interface Row {
  readonly row: ReadonlyMap<string, string>
  readonly line: number
}

/** The first line holds the columns; their names are folded. Comma or semicolon, whichever the first line uses. */
function readTable(csv: string): Row[] {
  const text = csv.replace(/^\uFEFF/, '')
  const firstLine = text.slice(0, text.indexOf('\n') + 1 || undefined)
  const separator = firstLine.split(';').length > firstLine.split(',').length ? ';' : ','
  const [header, ...records] = readRecords(text, separator)
  const columns =
    header?.cells.map((cell) =>
      cell
        .trim()
        .toLowerCase()
        .replace(/ \[.*\]$/, ''),
    ) ?? []
  return records
    .filter(({ cells }) => cells.some((cell) => cell !== ''))
    .map(({ cells, line }) => ({
      row: new Map(columns.map((column, index) => [column, cells[index] ?? ''])),
      line,
    }))
}

/** RFC 4180: quoted cells may hold separators, line ends and doubled quotes. */
function readRecords(text: string, separator: string): { cells: string[]; line: number }[] {
  const records: { cells: string[]; line: number }[] = []
  let cells: string[] = []
  let line = 1
  let recordLine = 1
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|$)`, 'y')
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text)
    if (match === null)
      throw new CsvError('a quote is opened and not closed, or stands in the middle of a cell', line)
    const value = match[1]?.replaceAll('""', '"') ?? match[2] ?? ''
    cells.push(value)
    line += match[0].split('\n').length - 1
    if (match[3] === separator) continue
    records.push({ cells, line: recordLine })
    cells = []
    recordLine = line
  }
  if (cells.length > 0) records.push({ cells, line: recordLine })
  return records
}
