/*
 * wal_load: what batches hold of which a start has read the heads only (wal_index.h).
 *
 * The batches lie in a blob as large as their file's groups, whose bytes are there once a load has
 * ended without an error. Until then nobody but the load may look into it. All groups are checked
 * against their checksums then: what does not check out is damage to acknowledged data.
 */
#ifndef REFBROKER_LOG_WAL_LOAD_H
#define REFBROKER_LOG_WAL_LOAD_H

#include <stdbool.h>

#include "lib/base/blob.h"
#include "lib/base/disk.h"
#include "lib/base/err.h"
#include "lib/base/work.h"

struct wal;

struct wal_load {
    struct work_job job;
    struct wal *wal; /* that has submitted it */
    struct disk *disk;
    uint64_t number;   /* of the file, */
    uint64_t salt;     /* as its header tells it */
    struct blob *blob; /* of the size of the header and the groups; the load holds a reference */
    struct err err;    /* RC_OK: it has not failed */
    bool is_over;
};

/* wal_load_run reads the file; is_over and err say that it has, and how that went. Blocks. */
void wal_load_run(struct wal_load *load);

#endif
