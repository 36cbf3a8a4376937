/* The battery for disks on a real folder, then what only a file system can do. */
#include "lib/base/disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/lib/base/disk_battery.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit.h"

static char folder[TEMP_FOLDER_BYTES_MAX];

/* What the driver asks of the system, seen or spoilt on the way. */
static ino_t synced_folder;
static int readdir_error;

int
fsync(int fd)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
        synced_folder = st.st_ino;
    return (int)syscall(SYS_fsync, fd);
}

struct dirent *
readdir(DIR *dir)
{
    struct dirent *(*next)(DIR *);

    if (readdir_error != 0) {
        errno = readdir_error;
        return NULL;
    }
    *(void **)&next = dlsym(RTLD_NEXT, "readdir");
    return next(dir);
}

static int
setup(void **state)
{
    struct disk *disk = NULL;

    temp_folder_make(folder);
    assert_int_equal(disk_open_real(folder, &disk, NULL), RC_OK);
    *state = disk;
    return 0;
}

static int
teardown(void **state)
{
    disk_free(*state);
    disk_free(NULL);
    temp_folder_remove(folder);
    return 0;
}

static void
path_of(char *out, size_t size, const char *name)
{
    assert_in_range(snprintf(out, size, "%s/%s", folder, name), 1, size - 1);
}

static void
the_root_is_made_where_its_parent_is(void **state)
{
    char path[TEMP_FOLDER_BYTES_MAX + 32];
    struct disk *disk = NULL;
    struct err e = {0};

    (void)state;
    path_of(path, sizeof path, "new");
    assert_int_equal(disk_open_real(path, &disk, NULL), RC_OK);
    disk_free(disk);
    assert_int_equal(disk_open_real(path, &disk, NULL), RC_OK);
    disk_free(disk);
    path_of(path, sizeof path, "no/where");
    assert_int_equal(disk_open_real(path, &disk, &e), RC_NOTFOUND);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, "No such file"));
}

/* A root that was just made must not vanish at a power cut with everything that was synced in it.
 */
static void
the_name_of_the_root_is_synced(void **state)
{
    char path[TEMP_FOLDER_BYTES_MAX + 32];
    struct disk *disk = NULL;
    struct stat st;

    (void)state;
    path_of(path, sizeof path, "new");
    assert_int_equal(stat(folder, &st), 0);
    synced_folder = 0;
    assert_int_equal(disk_open_real(path, &disk, NULL), RC_OK);
    assert_int_equal(synced_folder, st.st_ino);
    disk_free(disk);
}

static void
count_name(void *arg, const char *name)
{
    (void)name;
    ++*(int *)arg;
}

static void
a_list_that_breaks_off_is_an_error(void **state)
{
    struct disk *disk = *state;
    int count = 0;

    readdir_error = EIO;
    assert_int_equal(disk_list(disk, "", count_name, &count, NULL), RC_IO);
    readdir_error = 0;
    assert_int_equal(disk_list(disk, "", count_name, &count, NULL), RC_OK);
}

static void
a_root_that_is_a_file_is_refused(void **state)
{
    char path[TEMP_FOLDER_BYTES_MAX + 32];
    struct disk *disk = NULL;
    int fd;

    (void)state;
    path_of(path, sizeof path, "file");
    fd = open(path, O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(disk_open_real(path, &disk, NULL), RC_IO);
}

/* /dev/full takes no byte; a link to it stands for a full disk. */
static void
a_full_disk_is_no_space(void **state)
{
    char path[TEMP_FOLDER_BYTES_MAX + 32];
    struct disk_file *file = NULL;
    struct disk *disk = *state;
    struct err e = {0};

    path_of(path, sizeof path, "full");
    assert_int_equal(symlink("/dev/full", path), 0);
    assert_int_equal(disk_open(disk, "full", DISK_WRITE, &file, NULL), RC_OK);
    assert_int_equal(disk_write(file, 0, "x", 1, &e), RC_NO_SPACE);
    assert_non_null(strstr(e.text, "full"));
    assert_non_null(strstr(e.text, "No space left"));
    disk_close(file);
}

/* tmpfs refuses to bypass the cache on some kernels: DISK_DIRECT must work there, and a file made
 * by the refused attempt must not count as one that was there. */
static void
direct_works_on_a_file_system_without_it(void **state)
{
    char path[] = "/dev/shm/kdl-test-XXXXXX";
    struct disk_file *file = NULL;
    struct disk *disk = NULL;

    (void)state;
    if (mkdtemp(path) == NULL)
        skip();
    assert_int_equal(disk_open_real(path, &disk, NULL), RC_OK);
    assert_int_equal(
        disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_DIRECT, &file, NULL),
        RC_OK);
    assert_int_equal(disk_write(file, 0, "plain", 5, NULL), RC_OK);
    disk_close(file);
    assert_int_equal(
        disk_open(disk, "a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE | DISK_DIRECT, &file, NULL),
        RC_EXISTS);
    disk_free(disk);
    temp_folder_remove(path);
}

static void
a_lock_holds_against_another_process_until_it_ends(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;
    int ready[2], end[2];
    char byte;
    pid_t child;

    assert_int_equal(disk_open(disk, "lock", DISK_WRITE | DISK_CREATE, &file, NULL), RC_OK);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    child = fork();
    if (child == 0) {
        struct disk_file *mine = NULL;

        close(end[1]);
        if (disk_open(disk, "lock", DISK_WRITE, &mine, NULL) != RC_OK ||
            disk_lock(mine, NULL) != RC_OK || write(ready[1], "r", 1) != 1)
            _exit(1);
        _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(disk_lock(file, NULL), RC_LOCKED);
    close(end[0]);
    close(end[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    assert_int_equal(disk_lock(file, NULL), RC_OK);
    close(ready[0]);
    disk_close(file);
}

static void
errors_name_the_path_and_the_cause(void **state)
{
    struct disk *disk = *state;
    struct disk_file *file = NULL;
    struct err e = {0};

    assert_int_equal(disk_open(disk, "missing", DISK_READ, &file, &e), RC_NOTFOUND);
    assert_string_equal(e.text, "cannot open missing: No such file or directory");
    assert_int_equal(disk_make_folder(disk, "f", NULL), RC_OK);
    assert_int_equal(disk_open(disk, "f", DISK_WRITE, &file, &e), RC_IO);
    assert_int_equal(e.sys_errno, EISDIR);
}

static void
buffers_of_any_size_are_aligned(void **state)
{
    static const size_t sizes[] = {
        0, 1, DISK_ALIGN_BYTES + 1, (size_t)2 << 20, ((size_t)5 << 20) + 1};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *buffer = disk_buffer_new(sizes[i]);

        assert_non_null(buffer);
        assert_int_equal((uintptr_t)buffer % DISK_ALIGN_BYTES, 0);
        memset(buffer, 'x', sizes[i]);
        free(buffer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DISK_BATTERY(setup, teardown),
        cmocka_unit_test_setup_teardown(the_root_is_made_where_its_parent_is, setup, teardown),
        cmocka_unit_test_setup_teardown(the_name_of_the_root_is_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_that_breaks_off_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_root_that_is_a_file_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_no_space, setup, teardown),
        cmocka_unit_test(direct_works_on_a_file_system_without_it),
        cmocka_unit_test_setup_teardown(
            a_lock_holds_against_another_process_until_it_ends, setup, teardown),
        cmocka_unit_test(buffers_of_any_size_are_aligned),
        cmocka_unit_test_setup_teardown(errors_name_the_path_and_the_cause, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
