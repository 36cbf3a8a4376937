/*
 * recording: a file that holds topics and groups of a cluster: configs, batches byte for byte,
 * committed offsets.
 *
 * Made for samples that travel: into a refbroker on a laptop, into a test. The file is a magic
 * number and entries (int16 type, int32 size, both big-endian, then a message of
 * lib/wire/schema/recording.msg, version 0): topics first, then batches in the order of each log,
 * then groups, last an entry that counts the others. A file without that last entry was cut.
 *
 * Writing goes to FILE.tmp, which becomes FILE when it is finished. One entry has at most
 * RECORDING_ENTRY_BYTES_MAX bytes, on both ways, so that a damaged file costs no more memory than
 * that.
 */
#ifndef MIRROR_RECORDING_H
#define MIRROR_RECORDING_H

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/wire/desc.h"

#define RECORDING_ENTRY_BYTES_MAX ((size_t)64 << 20)

struct recording_writer;
struct recording_reader;

/* recording_create begins a file; it must be finished or given up. RC_IO. */
MUST_CHECK enum rc recording_create(const char *path, struct recording_writer **out, struct err *e);

/* recording_put appends an entry: `body` is the struct of `message`, one of recording.msg. */
MUST_CHECK enum rc recording_put(struct recording_writer *writer,
    const struct wire_message *message, const void *body, struct err *e);

/* recording_finish_take writes the last entry, gives the file its name, sets *bytes to its size and
 * frees the writer, also where it fails. */
MUST_CHECK enum rc recording_finish_take(
    struct recording_writer **writer, uint64_t *bytes, struct err *e);

/* recording_give_up removes what was written; NULL is accepted. */
void recording_give_up(struct recording_writer *writer);

/* recording_open: RC_IO, RC_NOTFOUND, or RC_CORRUPT where the file is no recording. */
MUST_CHECK enum rc recording_open(const char *path, struct recording_reader **out, struct err *e);

/*
 * recording_next reads an entry: *message tells which, *body is its struct, in memory of the reader
 * that the next call uses again. At the end *message is NULL. RC_CORRUPT for what is no entry, and
 * for an end without the last entry or with another count.
 */
MUST_CHECK enum rc recording_next(struct recording_reader *reader,
    const struct wire_message **message, const void **body, struct err *e);

void recording_close(struct recording_reader *reader);

#endif
