/**
 * The names of groups that a statement shows beside other resources, in SQL. A document has the name, and to parse it takes
 * about 1 ns for each of its bytes, for each user in the group. So the names of groups with very large documents are left
 * out if the tenant has many of them: names are optional (RFC 7643 §4.1.2), and users can be read all the same.
 */
import { type SQL, sql } from 'drizzle-orm'
import { MAX_GROUP_NAME_BYTES, MAX_MEMBER_DOCUMENT_BYTES } from '../../scim/limits.ts'
import { LARGE_GROUP_BYTES } from '../tables/large-documents.ts'

/** A piece is 256 bytes of the two documents of a group, which are about equally long. */
const MOST_PIECES = (2 * MAX_MEMBER_DOCUMENT_BYTES) / 256

/** The name of a group; NULL if its document is not parsed. @param group the table, or its alias */
export function groupName(group: string): SQL {
  return sql`iif(${isNamed(group)}, ${name(group)}, NULL)`
}

/** The most bytes of the name, or those of the document if they are many: parsing takes longer than writing the name. */
export function groupNameBytes(group: string): SQL {
  return sql`CASE WHEN ${bytes(group)} <= ${sql.raw(String(LARGE_GROUP_BYTES))} THEN octet_length(coalesce(${name(group)}, ''))
    WHEN ${isNamed(group)} THEN ${bytes(group)} ELSE 0 END`
}

/** The size of a document is known without reading it, and so is the size of all of them. */
function isNamed(group: string): SQL {
  return sql`(${bytes(group)} <= ${sql.raw(String(MAX_GROUP_NAME_BYTES))}
    OR (SELECT named.group_pieces <= ${sql.raw(String(MOST_PIECES))} FROM tenants AS named WHERE named.id = ${sql.raw(group)}.tenant_id))`
}

function bytes(group: string): SQL {
  return sql`octet_length(${sql.raw(group)}.data)`
}

function name(group: string): SQL {
  return sql`${sql.raw(group)}.data ->> '$.displayName'`
}
