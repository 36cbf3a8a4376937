#include "tests/unit/lib/base/disk_battery.h"

#include "lib/base/disk.h"
#include "tests/unit/unit.h"

static struct disk_file *
open_file(struct disk *disk, const char *path, unsigned flags)
{
    struct disk_file *file = NULL;
    struct err e = {0};

    if (disk_open(disk, path, flags, &file, &e) != RC_OK)
        fail_msg("%s: %s", path, e.text);
    return file;
}

static void
put(struct disk *disk, const char *path, const char *text)
{
    struct disk_file *file = open_file(disk, path, DISK_WRITE | DISK_CREATE);

    assert_int_equal(disk_resize(file, 0, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, text, strlen(text), NULL), RC_OK);
    disk_close(file);
}

static void
assert_content(struct disk *disk, const char *path, const char *text)
{
    struct disk_file *file = open_file(disk, path, DISK_READ);
    char got[256] = "";
    size_t size;

    assert_int_equal(disk_read(file, 0, got, sizeof got - 1, &size, NULL), RC_OK);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(got, text, size);
    disk_close(file);
}

void
disk_battery_what_is_written_is_read(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE);
    static char block[3 * DISK_ALIGN_BYTES + 17], got[sizeof block];
    int64_t size = -1;
    size_t n;

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i * 31 + i / 256);
    assert_int_equal(disk_write(file, 0, block, sizeof block, NULL), RC_OK);
    assert_int_equal(disk_write(file, 5000, "over", 4, NULL), RC_OK);
    memcpy(block + 5000, "over", 4);
    assert_int_equal(disk_sync(file, NULL), RC_OK);
    assert_int_equal(disk_size(file, &size, NULL), RC_OK);
    assert_int_equal(size, sizeof block);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, sizeof block);
    assert_memory_equal(got, block, sizeof block);
    disk_close(file);
    disk_close(NULL);
}

void
disk_battery_a_read_is_short_only_at_the_end(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE);
    char got[16];
    size_t n = 99;

    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(disk_write(file, 0, "0123456789", 10, NULL), RC_OK);
    assert_int_equal(disk_read(file, 7, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(got, "789", 3);
    assert_int_equal(disk_read(file, 10, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(disk_read(file, 100000, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(disk_read(file, 3, got, 0, &n, NULL), RC_OK);
    assert_int_equal(n, 0);
    disk_close(file);
}

void
disk_battery_a_write_behind_the_end_leaves_zeros(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE);
    static const char zeros[9999];
    static char got[10001];
    size_t n;

    assert_int_equal(disk_write(file, 9999, "xy", 2, NULL), RC_OK);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 10001);
    assert_memory_equal(got, zeros, sizeof zeros);
    assert_memory_equal(got + 9999, "xy", 2);
    disk_close(file);
}

void
disk_battery_a_resize_cuts_and_fills_with_zeros(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE);
    char got[16];
    int64_t size;
    size_t n;

    assert_int_equal(disk_write(file, 0, "0123456789", 10, NULL), RC_OK);
    assert_int_equal(disk_resize(file, 4, NULL), RC_OK);
    assert_int_equal(disk_resize(file, 8, NULL), RC_OK);
    assert_int_equal(disk_size(file, &size, NULL), RC_OK);
    assert_int_equal(size, 8);
    assert_int_equal(disk_read(file, 0, got, sizeof got, &n, NULL), RC_OK);
    assert_int_equal(n, 8);
    assert_memory_equal(got, "0123\0\0\0\0", 8);
    assert_int_equal(disk_resize(file, -1, NULL), RC_IO);
    disk_close(file);
}

void
disk_battery_open_tells_what_is_there(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;
    struct err e = {0};

    assert_int_equal(disk_open(disk, "a", DISK_READ, &file, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.text, "a"));
    assert_int_equal(disk_open(disk, "a", DISK_WRITE, &file, NULL), RC_NOTFOUND);
    disk_close(open_file(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE));
    assert_int_equal(
        disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &file, NULL), RC_EXISTS);
    disk_close(open_file(disk, "a", DISK_WRITE | DISK_CREATE));
    disk_close(open_file(disk, "a", DISK_READ));
    disk_close(open_file(disk, "b", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_DIRECT));
}

void
disk_battery_a_file_opened_for_reading_takes_no_write(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file;

    put(disk, "a", "old");
    file = open_file(disk, "a", DISK_READ);
    assert_int_equal(disk_write(file, 0, "new", 3, NULL), RC_IO);
    assert_int_equal(disk_resize(file, 0, NULL), RC_IO);
    disk_close(file);
    assert_content(disk, "a", "old");
}

void
disk_battery_direct_transfers_are_whole_pages(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = open_file(disk, "a", DISK_WRITE | DISK_CREATE | DISK_DIRECT);
    void *page = NULL;
    size_t n;

    assert_int_equal(posix_memalign(&page, DISK_ALIGN_BYTES, 2 * DISK_ALIGN_BYTES), 0);
    memset(page, 'p', 2 * DISK_ALIGN_BYTES);
    assert_int_equal(disk_write(file, DISK_ALIGN_BYTES, page, DISK_ALIGN_BYTES, NULL), RC_OK);
    assert_int_equal(disk_sync(file, NULL), RC_OK);
    assert_int_equal(disk_read(file, 0, page, 2 * DISK_ALIGN_BYTES, &n, NULL), RC_OK);
    assert_int_equal(n, 2 * DISK_ALIGN_BYTES);
    assert_int_equal(((char *)page)[DISK_ALIGN_BYTES - 1], 0);
    assert_int_equal(((char *)page)[DISK_ALIGN_BYTES], 'p');
    free(page);
    disk_close(file);
}

void
disk_battery_a_lock_is_held_until_the_file_is_closed(void **state)
{
    struct disk *disk = *state;
    struct disk_file *one = open_file(disk, "lock", DISK_WRITE | DISK_CREATE);
    struct disk_file *two = open_file(disk, "lock", DISK_WRITE);
    struct err e = {0};

    assert_int_equal(disk_lock(one, NULL), RC_OK);
    assert_int_equal(disk_lock(one, NULL), RC_OK);
    assert_int_equal(disk_lock(two, &e), RC_LOCKED);
    assert_non_null(strstr(e.text, "held by another process"));
    disk_close(one);
    assert_int_equal(disk_lock(two, NULL), RC_OK);
    disk_close(two);
}

void
disk_battery_a_rename_replaces_what_had_the_name(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;

    put(disk, "a", "one");
    put(disk, "b", "two");
    assert_int_equal(disk_rename(disk, "a", "b", NULL), RC_OK);
    assert_int_equal(disk_sync_folder(disk, "", NULL), RC_OK);
    assert_content(disk, "b", "one");
    assert_int_equal(disk_open(disk, "a", DISK_READ, &file, NULL), RC_NOTFOUND);
}

void
disk_battery_what_is_removed_is_gone(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;

    put(disk, "a", "one");
    assert_int_equal(disk_remove(disk, "a", NULL), RC_OK);
    assert_int_equal(disk_open(disk, "a", DISK_READ, &file, NULL), RC_NOTFOUND);
    assert_int_equal(disk_remove(disk, "a", NULL), RC_NOTFOUND);
}

static void
name_add(void *arg, const char *name)
{
    char *names = arg;

    strncat(names, name, 100 - strlen(names) - 1);
    strncat(names, " ", 100 - strlen(names) - 1);
}

void
disk_battery_folders_are_made_once_and_listed(void **state)
{
    struct disk *disk = *state;
    char names[100] = "";

    assert_int_equal(disk_make_folder(disk, "folder", NULL), RC_OK);
    assert_int_equal(disk_make_folder(disk, "folder", NULL), RC_OK);
    assert_int_equal(disk_list(disk, "folder", name_add, names, NULL), RC_OK);
    assert_string_equal(names, "");
    put(disk, "folder/one", "1");
    put(disk, "folder/two", "2");
    assert_int_equal(disk_rename(disk, "folder/two", "folder/three", NULL), RC_OK);
    assert_int_equal(disk_sync_folder(disk, "folder", NULL), RC_OK);
    assert_int_equal(disk_list(disk, "folder", name_add, names, NULL), RC_OK);
    assert_int_equal(strlen(names), strlen("one three "));
    assert_non_null(strstr(names, "one "));
    assert_non_null(strstr(names, "three "));
    names[0] = '\0';
    assert_int_equal(disk_list(disk, "", name_add, names, NULL), RC_OK);
    assert_string_equal(names, "folder ");
    put(disk, "file", "3");
    assert_int_not_equal(disk_make_folder(disk, "file", NULL), RC_OK);
}

void
disk_battery_what_is_not_there_is_not_found(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;
    char names[100] = "";

    assert_int_equal(disk_open(disk, "no/a", DISK_WRITE | DISK_CREATE, &file, NULL), RC_NOTFOUND);
    assert_int_equal(disk_rename(disk, "a", "b", NULL), RC_NOTFOUND);
    assert_int_equal(disk_remove(disk, "no/a", NULL), RC_NOTFOUND);
    assert_int_equal(disk_make_folder(disk, "no/a", NULL), RC_NOTFOUND);
    assert_int_equal(disk_sync_folder(disk, "no", NULL), RC_NOTFOUND);
    assert_int_equal(disk_list(disk, "no", name_add, names, NULL), RC_NOTFOUND);
}
