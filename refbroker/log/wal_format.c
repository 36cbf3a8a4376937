#include "refbroker/log/wal_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/wire/codec_bytes.h"
#include "lib/wire/crc32c.h"

#define FILE_MAGIC "KDLWAL\r\n"
#define GROUP_MAGIC 0x4b444c47

size_t
wal_format_aligned(size_t size)
{
    return (size + DISK_ALIGN_BYTES - 1) / DISK_ALIGN_BYTES * DISK_ALIGN_BYTES;
}

#define HEADER_BYTES 40 /* what the checksum of a file's header covers */

void
wal_format_file_header(uint8_t *out, const struct wal_file_header *header)
{
    memset(out, 0, WAL_FILE_HEADER_BYTES);
    memcpy(out, FILE_MAGIC, 8);
    codec_bytes_put_int32(out + 8, WAL_FORMAT_VERSION);
    codec_bytes_put_int32(out + 12, header->recycled);
    codec_bytes_put_int64(out + 16, (int64_t)header->number);
    codec_bytes_put_int64(out + 24, (int64_t)header->after_sequence);
    codec_bytes_put_int64(out + 32, (int64_t)header->salt);
    codec_bytes_put_int32(out + HEADER_BYTES, (int32_t)crc32c_of(out, HEADER_BYTES));
}

enum rc
wal_format_file_parse(const uint8_t *in, struct wal_file_header *header, struct err *e)
{
    static const uint8_t zeros[HEADER_BYTES + 4];
    int32_t version = codec_bytes_int32(in + 8);

    if (memcmp(in, zeros, sizeof zeros) == 0)
        return err_set(e, RC_NOTFOUND, "the file was never used");
    if (memcmp(in, FILE_MAGIC, 8) != 0)
        return err_set(e, RC_CORRUPT, "its header is damaged");
    /* Before the checksum, which another version may keep elsewhere. */
    if (version != WAL_FORMAT_VERSION)
        return err_set(e, RC_UNSUPPORTED, "its format is version %d, this program knows version %d",
            version, WAL_FORMAT_VERSION);
    if ((uint32_t)codec_bytes_int32(in + HEADER_BYTES) != crc32c_of(in, HEADER_BYTES))
        return err_set(e, RC_CORRUPT, "its header is damaged");
    header->recycled = codec_bytes_int32(in + 12) != 0;
    header->number = (uint64_t)codec_bytes_int64(in + 16);
    header->after_sequence = (uint64_t)codec_bytes_int64(in + 24);
    header->salt = (uint64_t)codec_bytes_int64(in + 32);
    return RC_OK;
}

uint32_t
wal_format_crc_begin(uint64_t salt, uint64_t sequence)
{
    uint8_t seed[16];

    codec_bytes_put_int64(seed, (int64_t)salt);
    codec_bytes_put_int64(seed + 8, (int64_t)sequence);
    return crc32c_of(seed, sizeof seed);
}

void
wal_format_group_header(uint8_t *out, uint64_t salt, const struct wal_group_header *header)
{
    codec_bytes_put_int32(out, GROUP_MAGIC);
    codec_bytes_put_int64(out + 4, (int64_t)header->sequence);
    codec_bytes_put_int32(out + 12, (int32_t)header->entry_count);
    codec_bytes_put_int32(out + 16, (int32_t)header->payload_bytes);
    codec_bytes_put_int32(out + 20, (int32_t)header->crc);
    codec_bytes_put_int32(out + 24, 0);
    codec_bytes_put_int32(out + 28, (int32_t)crc32c_extend(wal_format_crc_begin(salt, 0), out, 28));
}

bool
wal_format_group_parse(const uint8_t *in, uint64_t salt, struct wal_group_header *header)
{
    if (codec_bytes_int32(in) != GROUP_MAGIC ||
        (uint32_t)codec_bytes_int32(in + 28) !=
            crc32c_extend(wal_format_crc_begin(salt, 0), in, 28))
        return false;
    header->sequence = (uint64_t)codec_bytes_int64(in + 4);
    header->entry_count = (uint32_t)codec_bytes_int32(in + 12);
    header->payload_bytes = (uint32_t)codec_bytes_int32(in + 16);
    header->crc = (uint32_t)codec_bytes_int32(in + 20);
    return true;
}

bool
wal_format_group_at(const uint8_t *data, size_t size, size_t at, uint64_t salt,
    struct wal_group_header *group, size_t *bytes)
{
    const uint8_t *payload = data + at + WAL_GROUP_HEADER_BYTES;

    if (at > size || size - at < WAL_GROUP_HEADER_BYTES ||
        !wal_format_group_parse(data + at, salt, group) ||
        size - at - WAL_GROUP_HEADER_BYTES < group->payload_bytes)
        return false;
    *bytes = wal_format_aligned(WAL_GROUP_HEADER_BYTES + (size_t)group->payload_bytes);
    return wal_format_crc(salt, group->sequence, payload, group->payload_bytes) == group->crc;
}

uint32_t
wal_format_crc(uint64_t salt, uint64_t sequence, const uint8_t *payload, size_t size)
{
    return crc32c_extend(wal_format_crc_begin(salt, sequence), payload, size);
}

void
wal_format_name(char out[WAL_NAME_BYTES], uint64_t number)
{
    snprintf(out, WAL_NAME_BYTES, WAL_FOLDER "/%016" PRIx64 ".wal", number);
}

bool
wal_format_number(const char *name, uint64_t *number)
{
    if (strlen(name) != 20 || strspn(name, "0123456789abcdef") != 16 ||
        strcmp(name + 16, ".wal") != 0)
        return false;
    *number = strtoull(name, NULL, 16);
    return true;
}
