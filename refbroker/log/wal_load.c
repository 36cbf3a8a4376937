#include "refbroker/log/wal_load.h"

#include "refbroker/log/wal_format.h"

/* Larger transfers hold more memory for the device at once, and are slower. */
#define PIECE_BYTES ((size_t)2 << 20)

static enum rc
bytes_read(struct wal_load *load, struct disk_file *file)
{
    struct blob *blob = load->blob;
    enum rc rc = RC_OK;

    for (size_t at = 0, size; at < blob->size && rc == RC_OK; at += size) {
        size = blob->size - at < PIECE_BYTES ? blob->size - at : PIECE_BYTES;
        rc = disk_read_whole(file, (int64_t)at, blob->data + at, size, &load->err);
    }
    return rc;
}

/* One group lies behind the other, to the end. */
static enum rc
groups_check(struct wal_load *load)
{
    const struct blob *blob = load->blob;
    struct wal_group_header group;
    size_t bytes;

    for (size_t at = WAL_FILE_HEADER_BYTES; at < blob->size; at += bytes)
        if (!wal_format_group_at(blob->data, blob->size, at, load->salt, &group, &bytes))
            return err_set(&load->err, RC_CORRUPT,
                "the group at byte %zu is damaged: acknowledged data is lost", at);
    return RC_OK;
}

void
wal_load_run(struct wal_load *load)
{
    char name[WAL_NAME_BYTES];
    struct disk_file *file;
    enum rc rc;

    wal_format_name(name, load->number);
    err_clear(&load->err);
    rc = disk_open(load->disk, name, DISK_READ | DISK_DIRECT, &file, &load->err);
    if (rc == RC_OK) {
        rc = bytes_read(load, file);
        disk_close(file);
    }
    if (rc == RC_OK)
        (void)groups_check(load);
    load->is_over = true;
}
