/**
 * Builds a directory from the CSV exports of the Entra admin center: *Download users*, and *Download members* of each
 * group. Pure: rows in, directory document out. cli/files/csv-file.ts reads the files.
 *
 * Microsoft: "Download a list of users in the Azure portal" (users-bulk-download), groups-bulk-download-members.
 */

/** A table row: its 1-based line in the file, and its cells by lower-case column name. */
export interface TableRow {
  readonly line: number
  readonly cells: ReadonlyMap<string, string>
}

export interface MemberList {
  readonly groupName: string
  readonly rows: readonly TableRow[]
}

/** A row with invalid content. */
export class RowError extends Error {
  override readonly name = 'RowError'
  readonly line: number

  constructor(message: string, line: number) {
    super(message)
    this.line = line
  }
}

/** Export columns whose names differ from Microsoft Graph's. */
const RENAMED_COLUMNS: Readonly<Record<string, string>> = {
  objectid: 'id',
  alternateemailaddress: 'otherMails',
  mobile: 'mobilePhone',
}
const BOOLEANS = new Set(['accountenabled', 'directorysynced'])

/**
 * Builds a directory document; its users are in the order of their rows. Members that are not among the users (nested
 * groups, devices) are left out.
 * @throws {RowError}
 */
export function importTables(
  userRows: readonly TableRow[],
  memberLists: readonly MemberList[],
): { users: object[]; groups: object[] } {
  const users = userRows.map(readUser)
  const ids = new Set(users.map(({ id }) => id))
  const byName = new Map(users.map(({ id, userPrincipalName }) => [userPrincipalName.toLowerCase(), id]))
  const groups = memberLists.map(({ groupName, rows }, index) => ({
    id: groupId(index),
    displayName: groupName,
    members: rows.flatMap(({ cells }) => {
      const id = cells.get('id') ?? cells.get('objectid') ?? ''
      return ids.has(id) ? [id] : (byName.get((cells.get('userprincipalname') ?? '').toLowerCase()) ?? [])
    }),
  }))
  return { users, groups }
}

function readUser({
  cells,
  line,
}: TableRow): Record<string, unknown> & { id: string; userPrincipalName: string } {
  const id = cells.get('id') ?? cells.get('objectid') ?? ''
  const userPrincipalName = cells.get('userprincipalname') ?? ''
  if (id === '' || userPrincipalName === '')
    throw new RowError('a user needs the columns "id" (or "objectId") and "userPrincipalName"', line)
  const properties = [...cells].flatMap(([column, text]) => {
    const name = RENAMED_COLUMNS[column] ?? GRAPH_NAMES.get(column) ?? column
    if (text === '') return []
    return [[name, BOOLEANS.has(column) ? text.toLowerCase() === 'true' : text]]
  })
  return { ...Object.fromEntries(properties), id, userPrincipalName }
}

/** The case of column names differs between versions of the export. */
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

/** The export does not contain group ids. They are derived from the position, so that they are the same each time. */
function groupId(index: number): string {
  return `00000000-0000-4000-9000-${String(index + 1).padStart(12, '0')}`
}
