/**
 * The limits on the size and the cost of a request, with the reason for each value. The name of a constant ends in its
 * unit. docs/protocol/limits.md has the same table; a test compares the two.
 *
 * Limits of the platform, such as statements in a batch or bytes in a row, are in storage/database/database.ts.
 */

// Requests

/** The largest request body, including bulk requests: about 25,000 members in one PATCH. */
export const MAX_BODY_BYTES = 1024 * 1024
/**
 * The body of a search: a filter of MAX_FILTER_CHARACTERS beyond ASCII, and 1,000 names. Reading a larger one would take as
 * long as a page.
 */
export const MAX_SEARCH_BODY_BYTES = 256 * 1024
/** How long a body may take to arrive: 35 kB per second for the largest one. A slow body occupies memory meanwhile. */
export const BODY_TIMEOUT_SECONDS = 30
/** Bytes of request bodies that one process buffers until they are answered. Parsed, they take about ten times as much. */
export const MAX_HELD_BODY_BYTES = 64 * 1024 * 1024
/** The share of one tenant, so that one client cannot use up the whole limit: sixteen of the largest bodies. */
export const MAX_HELD_BODY_BYTES_PER_TENANT = 16 * 1024 * 1024
/** A body of the admin API or a form of the dashboard. They contain names and numbers. An import has no limit. */
export const MAX_ADMIN_BODY_BYTES = 64 * 1024
/** Operations in a bulk request. Each takes up to two round trips, and they run one after another. */
export const MAX_BULK_OPERATIONS = 100
/** Characters of the path of a bulk operation: an endpoint, and an id or a bulkId. It is split and compared several times. */
export const MAX_BULK_PATH_CHARACTERS = 2_048
/**
 * Characters of the entity tags of a precondition: the headers If-Match and If-None-Match, and `version` in a bulk request.
 * One has 20 characters at most. They become a list in SQL.
 */
export const MAX_ENTITY_TAGS_CHARACTERS = 2_048
/** Nesting levels of objects and arrays in a body. A bulk request that adds a manager to a user has nine. */
export const MAX_JSON_DEPTH = 32
/** Members of one object in a body. Resource types have fewer than 100 attributes; 100,000 members take 0.2 s to parse. */
export const MAX_JSON_MEMBERS = 1000
/**
 * Members of all objects in a body. A body of MAX_BODY_BYTES with the ids and types of members has 34,000, and room for 90,000
 * with different names, which take up to 1.5 µs each to parse.
 */
export const MAX_JSON_MEMBERS_IN_ALL = 40_000
/**
 * Work of the core for one request, in units of one character folded, compared or copied: see work.ts. The limit takes
 * about 90 ms. A body of MAX_BODY_BYTES with the ids of 26,000 members needs 3.2 million units, 100 ordinary users in a
 * bulk request 130,000, and a change of a stored user of 830 KB with 22,000 elements 3.3 million.
 */
export const MAX_WORK_UNITS = 3_600_000

// Values

/**
 * UTF-16 code units in most string values: names, and values by which lists are filtered and sorted. Known directories
 * have shorter limits (256 in Entra, 320 for an e-mail address). Indexes and cursors store copies of the value.
 */
export const MAX_NAME_CHARACTERS = 1024
/** UTF-16 code units in free text, certificates, and photos as data URLs: a thumbnail of 48 KB. Larger photos need a link. */
export const MAX_TEXT_CHARACTERS = 64 * 1024
/**
 * Characters beyond ASCII of a user, or of a group without its members. Each change of the resource folds all of them, in
 * up to 0.33 µs each. More than one value of MAX_TEXT_CHARACTERS.
 */
export const MAX_FOLDED_CHARACTERS = 100_000
/** Elements of a multi-valued attribute other than `members`. Each operation of a PATCH may visit all of them. */
export const MAX_ELEMENTS = 1000
/**
 * Operations of a PATCH that disables a user even if it exceeds the work limit, because of what is stored. Those on other
 * attributes are then omitted. Identity providers send some tens at most.
 */
export const MAX_DISABLING_OPERATIONS = 100
/** Members of a group in one operation or one resource. A body of MAX_BODY_BYTES has room for 27,000 ids. */
export const MAX_MEMBERS = 30_000

// Filters

/** Nesting levels of parentheses, `not` and brackets. The database rejects much deeper expressions. */
export const MAX_FILTER_DEPTH = 32
/** Characters of a filter. Its values are sent to the database, which accepts 2 MB in a parameter. */
export const MAX_FILTER_CHARACTERS = 64 * 1024
/** Comparisons and `pr` tests in one filter. */
export const MAX_FILTER_COMPARISONS = 100

/** Characters in the value of `co`. SQLite compares it at each position of a text. Other operators read a text once. */
export const MAX_SUBSTRING_CHARACTERS = 1024
/**
 * Estimated processor time of a list request that no index answers. On Node.js and Deno, other such lists wait
 * meanwhile. Enough for about 51,000 users with one test of a single-valued attribute, or 36,000 of a multi-valued one,
 * and pages of 100.
 */
export const MAX_SCAN_MILLISECONDS = 80
/**
 * The same on Node.js and Deno for a value that is searched for in the text of all documents, which takes longer than other
 * tests only if most of them contain it. Enough for about 108,000 users of up to 1 KiB.
 */
export const MAX_SEARCH_MILLISECONDS = 120

// Lists

/** Names in `attributes` and in `excludedAttributes`. A resource type has fewer than 100 attributes. */
export const MAX_ATTRIBUTE_NAMES = 500
/** Resources in a page if the client does not send `count`. */
export const DEFAULT_PAGE_SIZE = 100
/** The largest `count`. /ServiceProviderConfig shows it as filter.maxResults. */
export const MAX_PAGE_SIZE = 1000
/**
 * Bytes of the stored resources in a page. A page with fewer than `count` resources ends at this size; it always has the
 * first resource. An isolate has 128 MB, and a page needs about five times its size while it is built.
 */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024
/**
 * Members of a group that a request may load, to return, replace or filter them. A member takes about 3.3 µs to return,
 * two thirds of it in another thread if that is known to take long, and 1.5 µs to remove. Clients read larger groups
 * without members, list the members page by page at /GroupMemberships, and change them by naming members.
 */
export const MAX_LOADED_MEMBERS = 25_000
/** Bytes of the member documents that a request may read for the members' names: 1 to 2 ns per byte. */
export const MAX_MEMBER_DOCUMENT_BYTES = 16 * 1024 * 1024
/**
 * The document of a group whose name is always shown in the `groups` of users. The names of larger ones are shown as well if
 * all groups of the tenant together have MAX_MEMBER_DOCUMENT_BYTES at most: each user is shown with all of its groups.
 */
export const MAX_GROUP_NAME_BYTES = 16 * 1024
/** Characters of a sort key in a cursor. The rest of a longer key is read from the resource at the cursor's position. */
export const MAX_CURSOR_KEY_CHARACTERS = 256
/** Characters of a cursor: 256 characters of a key take up to 6 bytes each, in base64. A URL may have 8,000. */
export const MAX_CURSOR_CHARACTERS = 2_400
/** How long a cursor is valid: longer than any client needs for all pages, but too short for permanent use. */
export const CURSOR_TIMEOUT_SECONDS = 24 * 60 * 60

// Schema extensions of a tenant

/** Attributes in all extension schemas of a tenant, including removed ones. Each is looked up in each resource. */
export const MAX_EXTENSION_ATTRIBUTES = 50
/** Indexed attributes among them. The resource tables have this number of columns for the purpose. */
export const MAX_INDEXED_ATTRIBUTES = 5
/** Sub-attributes of one attribute. The largest of RFC 7643, `addresses`, has eight. */
export const MAX_SUB_ATTRIBUTES = 20
/** Extension schemas of a tenant, including removed ones. Each path may be compared with the URNs of all of them. */
export const MAX_EXTENSION_SCHEMAS = 20
/** Characters of the URN of a schema. Each resource with a value, and each path, repeats it. */
export const MAX_SCHEMA_URN_CHARACTERS = 256
/** Characters of the name of an attribute. The longest of RFC 7643 has 17. */
export const MAX_ATTRIBUTE_NAME_CHARACTERS = 64
/** Characters of a description. */
export const MAX_DESCRIPTION_CHARACTERS = 1000
/** Canonical values of one attribute. They are only suggestions. */
export const MAX_CANONICAL_VALUES = 100
/** Characters of all extension schemas of a tenant as JSON. Each isolate that serves the tenant keeps them in memory. */
export const MAX_EXTENSION_CHARACTERS = 64 * 1024

// Groups

/**
 * Memberships of groups in groups in a tenant: a tree of 1,000 groups. The default limit of groups is 200. The number
 * bounds the steps of a traversal of nested groups. A trigger enforces it for every writer. Entra does not provision
 * nested groups.
 */
export const MAX_NESTED_MEMBERSHIPS = 1000
/**
 * Memberships that one transaction deletes with their group, about 5 µs each. Those of a larger group are deleted
 * afterwards, as many at a time. A trigger in migrations/0019_deleted_groups.sql enforces the same value.
 */
export const MAX_DELETED_MEMBERSHIPS = 5_000
/** Deleted groups of a tenant that may have memberships left. A page of users passes over those of each user. */
export const MAX_DELETED_GROUPS = 10

// Responses (self-hosted only; on Cloudflare the platform buffers them)

/** Bytes of large responses that one process buffers until clients read them: one page for each of 32 clients. */
export const MAX_UNREAD_ANSWER_BYTES = 128 * 1024 * 1024
/** The share of one tenant, so that its slow clients do not affect other tenants, and that of one administrator. */
export const MAX_TENANT_UNREAD_ANSWER_BYTES = 32 * 1024 * 1024
/** Responses with at least this many characters are large: they are counted, and sent as fast as the client reads. */
export const MIN_LARGE_ANSWER_CHARACTERS = 64 * 1024
/** The minimum rate at which a client must read a large response, after ANSWER_TIMEOUT_SECONDS. */
export const MIN_ANSWER_BYTES_PER_SECOND = 64 * 1024
/** How long a client may take to read a response of any size. */
export const ANSWER_TIMEOUT_SECONDS = 30

// Access tokens (RFC 6749)

/** Bytes of a request to the token endpoint. An assertion of Microsoft Entra ID has about 2,000. */
export const MAX_TOKEN_REQUEST_BYTES = 16 * 1024
/** Seconds that an access token is valid, at least and by default: Microsoft accepts 60 minutes to 6 hours. */
export const MIN_TOKEN_LIFETIME_SECONDS = 3_600
/** Seconds that an access token is valid, at most. */
export const MAX_TOKEN_LIFETIME_SECONDS = 21_600
/** Seconds until an assertion expires, at most. One of Microsoft Entra ID is valid for 65 minutes, or for a day at most. */
export const MAX_ASSERTION_LIFETIME_SECONDS = 86_400
/** Access tokens that a client gets within a minute. One in an hour is enough. */
export const ACCESS_TOKENS_PER_MINUTE = 60
/** Access tokens of a client that are stored. */
export const MAX_ACCESS_TOKENS = 100
/** Days until a client secret expires, by default. */
export const DEFAULT_SECRET_DAYS = 365
/** Days until a client secret expires, at most: three years, one of them a leap year. Microsoft accepts no more. */
export const MAX_SECRET_DAYS = 1_096

// Messages

/** Characters of a client's text that an error message quotes. Error messages are logged. */
export const MAX_QUOTED_CHARACTERS = 100
/** Unknown members that an error message names. The others are counted. */
export const MAX_NAMED_IDS = 20

// The provisioning log: values are truncated to these limits when an entry is created.

/** Characters of a client's X-Request-Id: a UUID has 36. The server replaces a longer one by its own. */
export const MAX_REQUEST_ID_CHARACTERS = 128
/** Characters of a userName or displayName: enough to recognise it. An e-mail address has at most 254. */
export const MAX_LOGGED_NAME_CHARACTERS = 256
/** Characters of the id in a path. Ids of this server have 36, but a client can send any text. */
export const MAX_LOGGED_ID_CHARACTERS = 100
/** Characters of the reason for a refusal. */
export const MAX_LOGGED_DETAIL_CHARACTERS = 1_000
/** Characters of one text in a change: more of a photo or a description is of no use in a log. */
export const MAX_LOGGED_TEXT_CHARACTERS = 2_000
/** Characters of one changed value as JSON, such as a list: about 1,000 member ids. */
export const MAX_LOGGED_VALUE_CHARACTERS = 40_000
/** Characters of all changes in an entry as JSON, old and new values together. */
export const MAX_LOGGED_CHANGES_CHARACTERS = 64 * 1024
/** Names of ignored attributes in a log entry. A body can have 100,000 of them. */
export const MAX_IGNORED_NAMES = 100
/** Characters of all names of ignored attributes. */
export const MAX_LOGGED_IGNORED_CHARACTERS = 2_000
/**
 * Rejected writes of a token that get their own log entry in one minute: more than an identity provider sends if all its
 * writes fail. Further ones are combined in one entry for each action, type and response.
 */
export const MAX_REFUSED_ENTRIES_PER_MINUTE = 200
/** Characters of the reason for which an administrator disables a user. */
export const MAX_REASON_CHARACTERS = 200
/** Characters of an answer that the page of an explained request shows, in whole lines. The admin API has all of it. */
export const MAX_SHOWN_ANSWER_CHARACTERS = 20_000
/** Characters of a refused write that the log keeps, as JSON: a user with all attributes of the schemas has about 3,000. */
export const MAX_KEPT_REQUEST_CHARACTERS = 8_000
/** Refused writes of a client that the log keeps in one minute: enough to see what is wrong. Further entries have no request. */
export const MAX_KEPT_REQUESTS_PER_MINUTE = 20
/** Bytes of a tenant's log from which no requests are kept, so that they do not displace other entries. */
export const MAX_LOG_BYTES_WITH_REQUESTS = 128 * 1024 * 1024
/**
 * Bytes of a tenant's log, about 300,000 entries. Beyond it, new entries replace the oldest ones. A trigger in
 * migrations/0032_requests_and_emergency.sql enforces the same value.
 */
export const MAX_LOG_BYTES = 256 * 1024 * 1024

// Events, history and undo

/**
 * Bytes of a tenant's events, several hundred thousand events. Beyond it, new events replace the oldest ones. A trigger
 * in migrations/0022_events.sql enforces the same value.
 */
export const MAX_EVENT_BYTES = 256 * 1024 * 1024
/**
 * The previous values that an event keeps for the history. A small request can change a large value, and must not store as
 * much each time.
 */
export const MAX_PREVIOUS_BYTES = 64 * 1024
/**
 * Bytes of the deleted resources that a tenant keeps. Beyond it, new ones replace the oldest ones. A trigger in
 * migrations/0025_history.sql enforces the same value.
 */
export const MAX_TOMBSTONE_BYTES = 256 * 1024 * 1024
/** Ids in a row of the memberships of a deleted resource. */
export const TOMBSTONE_IDS = 1_000
/** Changes of a resource that are taken back in memory to know it as it was. */
export const MAX_LATER_EVENTS = 20_000
/** Bytes of the data and the previous values of these changes. SQLite takes about 100 ms for them: those of 100,000 members. */
export const MAX_LATER_BYTES = 4 * 1024 * 1024
/** Resources in a page of what an undo would do. */
export const MAX_UNDO_PAGE = 20
/** Members in a page of a group as it was. */
export const MAX_PAST_MEMBERS = 1_000
/** Members that one write of an undo adds to a group, or removes from it. */
export const MAX_UNDO_MEMBERS = 1_000
/** Events of a client that are counted before an undo. */
export const MAX_COUNTED_EVENTS = 100_000
/** The data of an event, so that a whole event stays below the 20 kB that receivers of webhooks expect. */
export const MAX_EVENT_DATA_BYTES = 16 * 1024
/** Members that one event names: with all their identifiers they usually stay below the same 20 kB. */
export const MAX_EVENT_MEMBERS = 50
/** An event as it is sent. If the names of its members would exceed it, only their ids are sent. */
export const MAX_EVENT_BYTES_SENT = 20_000
/** Events of a page of the feed. */
export const MAX_FEED_EVENTS = 500
/** Events of a page of the feed, if the reader does not send "limit". */
export const DEFAULT_FEED_EVENTS = 100
/** How long the feed holds a request while nothing happens: less than the 30 seconds of common proxies and clients. */
export const MAX_FEED_WAIT_SECONDS = 25
/** Requests of a tenant that wait for events at the same time. */
export const MAX_WAITING_READERS = 100

// Administrators

/** Named tokens of administrators that are neither revoked nor expired. Each page of them shows all. */
export const MAX_ADMIN_TOKENS = 100
/**
 * Clients of a tenant that are not deleted, and its tokens and client secrets that are not revoked. Lists of them have no
 * pages. An import of clients has a limit of its own.
 */
export const MAX_CLIENTS = 500
export const MAX_TOKENS = 500
export const MAX_SECRETS = 500
/** Entries of the audit trail. Beyond it, new entries replace the oldest ones. A trigger enforces the same value. */
export const MAX_AUDIT_ENTRIES = 50_000

// Conflicts between sources

/**
 * Conflicts that a tenant keeps, about 5 MB. Two clients can make a new one with a few writes, and it stays for the retention of
 * the log after its reason is gone. Further ones are not noticed until then.
 */
export const MAX_CONFLICTS = 10_000

// Webhooks

/** Webhooks of a tenant. Each write tells each of them, and the configuration that isolates keep in memory has their ids. */
export const MAX_WEBHOOKS = 20
/** Characters of the URL of a webhook. */
export const MAX_WEBHOOK_URL_CHARACTERS = 2_000
/** Secrets of a webhook at the same time. Each adds a signature to each request. */
export const MAX_WEBHOOK_SECRETS = 5
/** How long the receiver of a webhook may take to answer. */
export const WEBHOOK_TIMEOUT_SECONDS = 10
/** Bytes of an answer that are read, so that small answers leave the connection open. Nothing of them is kept. */
export const MAX_WEBHOOK_ANSWER_BYTES = 1024
/** Deliveries that each webhook shows, in one row of the database: about 20 kB. */
export const MAX_SHOWN_DELIVERIES = 100

// Export and import

/** Bytes of a file that a job exports or imports, as stored: compressed. A database of D1 holds ten of them. */
export const MAX_STORED_FILE_BYTES = 1_073_741_824
/** How many times a compressed file is as long afterwards. 50,000 users have 11, 50,000 members with ids in sequence 52. */
export const MAX_GZIP_RATIO = 100
/** Characters in a line of an import: one resource, which is one row in the database. */
export const MAX_IMPORT_LINE_CHARACTERS = 2_000_000
/** Clients that a tenant has after an import of clients. Lists of clients have no pages, and a line is short. */
export const MAX_IMPORTED_CLIENTS = 5_000
/** The latest time of an imported resource: the end of the year 9999, which is the last instant of a SCIM dateTime. */
export const MAX_IMPORT_TIME_MS = 253_402_300_799_999
/** The highest version of an imported resource. It leaves room for increments within the digits of an entity tag. */
export const MAX_IMPORT_VERSION = 999_999_999_999
