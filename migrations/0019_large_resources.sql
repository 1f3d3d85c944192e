-- The few resources whose documents are large: they tell whether a page of a list has to be cut by its bytes, and a
-- tenant that has none is read without measuring. LARGE_USER_BYTES and LARGE_GROUP_BYTES in src/storage/page-size.ts.
CREATE INDEX users_by_size ON users (tenant_id, octet_length(data)) WHERE octet_length(data) > 4096;
CREATE INDEX groups_by_size ON groups (tenant_id, octet_length(data)) WHERE octet_length(data) > 1024;
