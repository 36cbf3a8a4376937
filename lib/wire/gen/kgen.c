/* kgen HEADER SOURCE SCHEMA.msg... */
#include "lib/wire/gen/kgen.h"

#include <stdio.h>

static bool
file_write(const char *path, const struct kgen_model *model,
    void (*emit)(const struct kgen_model *, FILE *))
{
    FILE *out = fopen(path, "w");
    bool ok;

    if (out == NULL) {
        fprintf(stderr, "kgen: cannot write %s\n", path);
        return false;
    }
    emit(model, out);
    ok = ferror(out) == 0;
    return fclose(out) == 0 && ok;
}

int
main(int argc, char **argv)
{
    struct kgen_model model = {NULL, 0};

    if (argc < 4) {
        fprintf(stderr, "usage: kgen HEADER SOURCE SCHEMA.msg...\n");
        return 2;
    }
    for (int i = 3; i < argc; i++)
        if (!kgen_parse(&model, argv[i]))
            return 1;
    if (!kgen_check(&model))
        return 1;
    return file_write(argv[1], &model, kgen_emit_header) &&
                   file_write(argv[2], &model, kgen_emit_source)
               ? 0
               : 1;
}
