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

void
wal_format_file_header(uint8_t *out, const struct wal_file_header *header)
{
    memset(out, 0, WAL_FILE_HEADER_BYTES);
    memcpy(out, FILE_MAGIC, 8);
    codec_bytes_put_int32(out + 8, WAL_FORMAT_VERSION);
    codec_bytes_put_int64(out + 16, (int64_t)header->number);
    codec_bytes_put_int64(out + 24, (int64_t)header->after_sequence);
    codec_bytes_put_int32(out + 32, (int32_t)crc32c_of(out, 32));
}

enum rc
wal_format_file_parse(const uint8_t *in, struct wal_file_header *header, struct err *e)
{
    static const uint8_t zeros[36];
    int32_t version = codec_bytes_int32(in + 8);

    if (memcmp(in, zeros, sizeof zeros) == 0)
        return err_set(e, RC_NOTFOUND, "the file was never used");
    if (memcmp(in, FILE_MAGIC, 8) != 0 || (uint32_t)codec_bytes_int32(in + 32) != crc32c_of(in, 32))
        return err_set(e, RC_CORRUPT, "its header is damaged");
    if (version != WAL_FORMAT_VERSION)
        return err_set(e, RC_UNSUPPORTED, "its format is version %d, this program knows version %d",
            version, WAL_FORMAT_VERSION);
    header->number = (uint64_t)codec_bytes_int64(in + 16);
    header->after_sequence = (uint64_t)codec_bytes_int64(in + 24);
    return RC_OK;
}

void
wal_format_group_header(uint8_t *out, const struct wal_group_header *header)
{
    codec_bytes_put_int32(out, GROUP_MAGIC);
    codec_bytes_put_int64(out + 4, (int64_t)header->sequence);
    codec_bytes_put_int32(out + 12, (int32_t)header->entry_count);
    codec_bytes_put_int32(out + 16, (int32_t)header->payload_bytes);
    codec_bytes_put_int32(out + 20, (int32_t)header->crc);
    codec_bytes_put_int32(out + 24, 0);
    codec_bytes_put_int32(out + 28, (int32_t)crc32c_of(out, 28));
}

bool
wal_format_group_parse(const uint8_t *in, struct wal_group_header *header)
{
    if (codec_bytes_int32(in) != GROUP_MAGIC ||
        (uint32_t)codec_bytes_int32(in + 28) != crc32c_of(in, 28))
        return false;
    header->sequence = (uint64_t)codec_bytes_int64(in + 4);
    header->entry_count = (uint32_t)codec_bytes_int32(in + 12);
    header->payload_bytes = (uint32_t)codec_bytes_int32(in + 16);
    header->crc = (uint32_t)codec_bytes_int32(in + 20);
    return true;
}

uint32_t
wal_format_crc(uint64_t sequence, const uint8_t *payload, size_t size)
{
    uint8_t seed[8];

    codec_bytes_put_int64(seed, (int64_t)sequence);
    return crc32c_extend(crc32c_of(seed, sizeof seed), payload, size);
}

void
wal_format_name(char out[WAL_NAME_BYTES], uint64_t number)
{
    snprintf(out, WAL_NAME_BYTES, WAL_FOLDER "/%016" PRIx64 ".wal", number);
}

bool
wal_format_number(const char *name, uint64_t *number)
{
    char *end;

    if (strlen(name) != 20 || strcmp(name + 16, ".wal") != 0)
        return false;
    *number = strtoull(name, &end, 16);
    return end == name + 16;
}
