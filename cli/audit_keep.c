#include "cli/audit_keep.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit/audit.h"
#include "lib/base/xalloc.h"

enum rc
audit_keep_init(struct audit_keep *keep, const struct options *options, struct err *e)
{
    const char *key = options_text(options, "redact", NULL);
    enum rc rc;

    *keep = (struct audit_keep){.path = options_text(options, "snapshot", NULL)};
    if (keep->path == NULL)
        return key == NULL ? RC_OK
                           : err_set(e, RC_CONFIG, "--redact is about what --snapshot writes.");
    rc = snapshot_check(keep->path, e);
    if (rc != RC_OK)
        return rc;
    if (key == NULL) {
        keep->unfinished = xasprintf("%s" AUDIT_KEEP_UNFINISHED, keep->path);
        return RC_OK;
    }
    keep->redacts = true;
    rc = redaction_init(&keep->redaction, key, e);
    return rc == RC_OK ? RC_OK : err_note(e, "--redact");
}

void
audit_keep_fini(struct audit_keep *keep)
{
    if (keep->redacts)
        redaction_fini(&keep->redaction);
    free(keep->unfinished);
}

enum rc
audit_keep_begun(const struct audit_keep *keep, struct audit_inventory *inventory, struct err *e)
{
    enum rc rc = keep->unfinished == NULL ? err_set(e, RC_NOTFOUND, "nothing is kept")
                                          : snapshot_read(keep->unfinished, inventory, e);

    return rc == RC_OK || rc == RC_NOTFOUND ? rc : audit_keep_refuse(keep, e);
}

enum rc
audit_keep_refuse(const struct audit_keep *keep, struct err *e)
{
    (void)err_note(e, "remove %s to begin anew", keep->unfinished);
    return e->code = RC_CONFIG;
}

void
audit_keep_unfinished(struct audit_keep *keep, const struct audit_inventory *inventory)
{
    struct err e;

    if (keep->unfinished == NULL || keep->complained ||
        snapshot_replace(inventory, keep->unfinished, &e) == RC_OK)
        return;
    keep->complained = true;
    fprintf(stderr, "\r\033[K%s; should the audit be ended, it begins anew\n", e.text);
}

enum rc
audit_keep_write(struct audit_keep *keep, const struct audit_inventory *inventory, struct err *e)
{
    if (keep->path == NULL)
        return RC_OK;
    return snapshot_write(inventory, keep->path, keep->redacts ? &keep->redaction : NULL, e);
}

enum rc
audit_keep_finished(struct audit_keep *keep, struct err *e)
{
    return keep->unfinished == NULL ? RC_OK : snapshot_remove(keep->unfinished, e);
}

enum rc
audit_keep_read(const char *path, struct audit_inventory *inventory, struct err *e)
{
    enum rc rc = snapshot_read(path, inventory, e);

    if (rc == RC_OK)
        return audit_judge(inventory, e);
    return e->code = RC_CONFIG;
}
