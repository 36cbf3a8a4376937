#include "tests/unit/temp_folder.h"

#include <ftw.h>

#include "tests/unit/unit.h"

void
temp_folder_make(char path[TEMP_FOLDER_BYTES_MAX])
{
    const char *base = getenv("TMPDIR");
    int size = snprintf(path, TEMP_FOLDER_BYTES_MAX, "%s/kdl-test-XXXXXX",
        base == NULL || *base == '\0' ? "/tmp" : base);

    assert_in_range(size, 1, TEMP_FOLDER_BYTES_MAX - 1);
    assert_non_null(mkdtemp(path));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void
temp_folder_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
