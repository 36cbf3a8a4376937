/* temp_folder: a folder of a test's own, below TMPDIR or /tmp, and its end. */
#ifndef TESTS_UNIT_TEMP_FOLDER_H
#define TESTS_UNIT_TEMP_FOLDER_H

#define TEMP_FOLDER_BYTES_MAX 256

/* temp_folder_make makes a folder and writes its path; the test fails where that is impossible. */
void temp_folder_make(char path[TEMP_FOLDER_BYTES_MAX]);

/* temp_folder_remove removes it with everything in it. */
void temp_folder_remove(const char *path);

#endif
